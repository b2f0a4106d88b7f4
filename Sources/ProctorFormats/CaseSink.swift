import ProctorModel

/// Where a decoder puts the tests it reads, in the order of the file.
public protocol CaseSink: AnyObject {
  /// Whether tests that simply passed are wanted whole; otherwise a decoder that can only counts them.
  var wantsPassed: Bool { get }
  func take(_ found: ReportedCase)
  /// A test that simply passed and is not wanted whole.
  /// - Parameters:
  ///   - fingerprint: of its name, as `ReportedCase.fingerprint`.
  ///   - durationMS: nil when the report does not say.
  func pass(fingerprint: UInt64, durationMS: Double?)
}

/// Hands every test on.
final class EachCase: CaseSink {
  private let each: (ReportedCase) -> Void
  let wantsPassed = true

  init(_ each: @escaping (ReportedCase) -> Void) { self.each = each }

  func take(_ found: ReportedCase) { each(found) }
  func pass(fingerprint: UInt64, durationMS: Double?) {}
}

/// 64 bits of a test's full name, to tell whether it came before; no protection against anyone.
struct NameFingerprint {
  private(set) var value: UInt64 = 0x9e37_79b9_7f4a_7c15

  /// A part of the name, such as the suite.
  mutating func add(_ bytes: UnsafeBufferPointer<UInt8>) {
    let raw = UnsafeRawBufferPointer(bytes)
    var index = 0
    while index + 8 <= raw.count {
      mix(raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      index += 8
    }
    var rest = UInt64(raw.count)
    for byte in raw[index...] { rest = rest << 8 | UInt64(byte) }
    mix(rest)
  }

  mutating func add(_ text: String) {
    var text = text
    text.withUTF8 { add($0) }
  }

  private mutating func mix(_ word: UInt64) {
    let product = (value ^ word).multipliedFullWidth(by: 0xa076_1d64_78bd_642f)
    value = product.high ^ product.low ^ 0xe703_7ed1_a0b4_28db
  }
}

extension ReportedCase {
  /// What a test without a name is called.
  public static let unnamed = "unnamed"

  /// The group that its names are unique in: the class, or the suites around it.
  public var suite: String { classname ?? suites.joined(separator: " > ") }

  public var fullName: String { suite.isEmpty ? name : "\(suite) > \(name)" }

  /// Of its suite and name.
  public var fingerprint: UInt64 {
    var fingerprint = NameFingerprint()
    fingerprint.add(suite)
    fingerprint.add(name)
    return fingerprint.value
  }

  /// Passed at once, with nothing to say about it.
  var isPlainPass: Bool { attempts.count == 1 && outcome == .passed }
}

extension CaseSink {
  /// For decoders that have it whole already.
  func give(_ found: ReportedCase) {
    if found.isPlainPass, !wantsPassed {
      pass(fingerprint: found.fingerprint, durationMS: found.attempts.last?.durationMS)
    } else {
      take(found)
    }
  }
}
