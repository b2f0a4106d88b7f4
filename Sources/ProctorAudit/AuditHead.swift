import FoundationEssentials
import Glibc

/// The last entry that was committed, in a file beside the database: who cuts off the end must know of it, too.
///
/// It is written after the commit, so that a process killed in between leaves it behind, never ahead.
struct AuditHead: Sendable {
  struct Position: Sendable, Hashable {
    let number: Int64
    let hash: Data
  }

  let path: String

  /// nil when there is none, or it cannot be understood.
  func read() -> Position? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return Self.position(in: descriptor)
  }

  /// Moves it on; one that is further already stays. Where it cannot be written, verification says so.
  func move(to position: Position) {
    let descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    // Commits of several processes come here in any order.
    guard flock(descriptor, LOCK_EX) == 0 else { return }
    if let present = Self.position(in: descriptor), present.number >= position.number { return }
    let digits = "\(position.number)"
    let line =
      String(repeating: "0", count: max(0, 20 - digits.count)) + digits
      + " \(position.hash.hexadecimal)\n"
    _ = Array(line.utf8).withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  }

  private static func position(in descriptor: Int32) -> Position? {
    var buffer = [UInt8](repeating: 0, count: 128)
    let count = pread(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return nil }
    let words = String(decoding: buffer[..<count], as: UTF8.self)
      .split(whereSeparator: { $0 == " " || $0 == "\n" })
    guard words.count == 2, let number = Int64(words[0]), let hash = Data(hexadecimal: words[1])
    else { return nil }
    return Position(number: number, hash: hash)
  }
}

extension Data {
  var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// nil for what is no even number of hexadecimal digits.
  init?(hexadecimal text: some StringProtocol) {
    let digits = text.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count.isMultiple(of: 2), !digits.contains(nil) else { return nil }
    let values = digits.compactMap(\.self)
    self.init(
      stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) })
  }
}
