/// How often something occurs, and the first that show it.
struct LintTally {
  private static let examplesShown = 5
  private static let exampleLimit = 200

  private(set) var count = 0
  private(set) var examples: [String] = []

  mutating func add(_ example: @autoclosure () -> String) {
    count += 1
    guard examples.count < Self.examplesShown else { return }
    examples.append(example().bounded(Self.exampleLimit).harmless(multiline: false))
  }
}

/// What a report file holds, as far as platforms have limits for it.
struct LintFacts {
  var bytes = 0
  /// Cases, results, entries or points.
  var items = 0
  /// Why it cannot be read to its end; nil when it can.
  var malformed: String?

  var failing = LintTally()
  /// Like one before it, in what platforms know tests by.
  var duplicates = LintTally()
  /// Longer than 255 characters.
  var longNames = LintTally()
  /// Failing, without a file and a line anywhere.
  var placeless = LintTally()
  /// Cases with more than one failure or error.
  var severalFailures = LintTally()
  var nestedSuites = LintTally()
  /// Failures and errors that stand in a suite and not in a case.
  var outside = LintTally()
  /// The failures among them.
  var outsideFailures = LintTally()
  var nameless = LintTally()
  var classless = LintTally()
  /// Output of a case beyond what Jenkins keeps.
  var longOutput = LintTally()
  /// Attempts as surefire writes them.
  var attempts = LintTally()
  /// Attributes of cases that junit-10.xsd does not know.
  var strangeAttributes = LintTally()
  /// The root is a single case.
  var isLoneCase = false
  /// Entries that lack what must be there.
  var incomplete = LintTally()
  /// SARIF.
  var runs = 0
  var fullestRun = 0
  /// TAP points without a plan.
  var hasPlan = true

  private var seen: Set<Int> = []

  /// Counts what is like one before it. By hash values: 64 bits for each name, whatever their length.
  mutating func see(_ parts: [String], as name: @autoclosure () -> String) {
    var hasher = Hasher()
    hasher.combine(parts)
    if !seen.insert(hasher.finalize()).inserted { duplicates.add(name()) }
  }

  static let nameLimit = 255
}

extension String {
  /// Whether it says `FILE:LINE` somewhere.
  var namesPlace: Bool {
    let bytes = Array(utf8)
    for index in bytes.indices.dropFirst().dropLast() where bytes[index] == UInt8(ascii: ":") {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index + 1]) else { continue }
      let word = bytes[..<index].reversed().prefix { byte in
        byte > 0x20 && !"()[]\"',".utf8.contains(byte)
      }
      if word.contains(UInt8(ascii: ".")), word.contains(where: { $0 > 0x40 }) { return true }
    }
    return false
  }
}
