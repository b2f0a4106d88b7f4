import FoundationEssentials
import ProctorModel

/// What a decoder finds out about a file besides its tests, until it is over.
struct ReadingNotes {
  /// Errors outside tests kept of one file.
  private static let errorsLimit = 1000

  var tool: String?
  private(set) var cases = 0
  private var unnamed = 0
  private var notes: [ReportReading.Note] = []
  private var errors: [RunError] = []
  private var hiddenErrors = 0
  private var isBroken = false
  private var claimsMore = false

  mutating func give(_ found: ReportedCase, to sink: any CaseSink) {
    cases += 1
    sink.give(found)
  }

  /// The name, or what a test without one is called.
  mutating func name(_ name: String?) -> String {
    if let name, !name.isEmpty { return name }
    unnamed += 1
    return ReportedCase.unnamed
  }

  mutating func add(_ error: RunError) {
    if errors.count < Self.errorsLimit { errors.append(error) } else { hiddenErrors += 1 }
  }

  mutating func add(_ kind: ReportReading.Note.Kind, _ message: String) {
    notes.append(ReportReading.Note(kind: kind, message: message))
  }

  /// Something because of which tests may be missing, or their results cannot be believed.
  mutating func breaks(_ kind: ReportReading.Note.Kind, _ message: String) {
    if !isBroken || !notes.contains(where: { $0.message == message }) { add(kind, message) }
    isBroken = true
  }

  /// - Parameter problem: of the JSON itself.
  mutating func add(_ problem: JSONTreeReader.Problem?, in what: String) {
    switch problem {
    case nil: break
    case .cut: breaks(.truncated, "\(what) ends in the middle")
    case .syntax(let offset): breaks(.malformed, "\(what) is no JSON from byte \(offset + 1) on")
    case .depth: breaks(.refused, "\(what) is nested deeper than \(JSONTreeReader.depthLimit)")
    }
  }

  /// Compares totals of the file's own with what it holds; each that is nil was not said.
  mutating func compare(_ said: [(word: String, said: Int?, held: Int)]) {
    let known = said.compactMap { row in row.said.map { (row.word, $0, row.held) } }
    guard known.contains(where: { $0.1 != $0.2 }) else { return }
    let words = known.map { "\($0.1) \($0.0)" }.joined(separator: ", ")
    let held = known.map { "\($0.2)" }.joined(separator: ", ")
    add(.countsDisagree, "its totals say \(words), but it holds \(held)")
    if known.contains(where: { $0.1 > $0.2 }) { claimsMore = true }
  }

  var reading: ReportReading {
    var all = notes
    if unnamed > 0 {
      let text = unnamed == 1 ? "1 test has no name" : "\(unnamed) tests have no name"
      all.append(ReportReading.Note(kind: .names, message: text))
    }
    var errors = errors
    if hiddenErrors > 0 {
      errors.append(RunError(stage: .suite, adapter: nil, message: "\(hiddenErrors) more errors"))
    }
    var reading = ReportReading(cases: cases, errors: errors, notes: all, isComplete: !isBroken)
    reading.claimsMore = claimsMore
    reading.tool = tool
    return reading
  }
}

/// A message within the bound that all decoders keep.
func boundedMessage(_ text: String) -> String {
  CapturedText(bytes: text.utf8, limit: JUnitXML.messageLimit).text
}

/// Output of a test, within its bound.
func captured(_ text: String?) -> CapturedText? {
  text.flatMap { CapturedText(bytes: $0.utf8).nonEmpty }
}

/// Parts that say something, a line each; nil when none does.
func joined(_ parts: [String?]) -> String? {
  let texts = parts.compactMap(\.self).filter { !$0.isEmpty }
  return texts.isEmpty ? nil : texts.joined(separator: "\n")
}

extension String {
  /// Without what terminals are told about colours and the like.
  var withoutTerminalCodes: String {
    guard utf8.contains(0x1b) else { return self }
    var result = String.UnicodeScalarView()
    var scalars = unicodeScalars[...]
    while let scalar = scalars.popFirst() {
      guard scalar == "\u{1b}", scalars.first == "[" else {
        result.append(scalar)
        continue
      }
      scalars = scalars.dropFirst().drop { !("@"..."~").contains($0) }.dropFirst()
    }
    return String(result)
  }
}
