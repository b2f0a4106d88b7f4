public import ProctorModel

/// A test as a report file tells of it: what a foreign tool claims, not yet a verdict.
public struct ReportedCase: Hashable, Sendable {
  /// The named suites around it, outermost first; a file's root element is none of them.
  public let suites: [String]
  /// The class, file or module the tool puts it in; nil when it does not say.
  public let classname: String?
  public let name: String
  /// Where the test starts, as the report writes the path; 1-based whatever the tool counts from.
  public let definition: SourceLocation?
  /// In the order they ran, the final one last; never empty.
  public let attempts: [Attempt]

  public init(
    suites: [String], classname: String?, name: String, definition: SourceLocation?,
    attempts: [Attempt]
  ) {
    self.suites = suites
    self.classname = classname
    self.name = name
    self.definition = definition
    self.attempts = attempts
  }

  /// The final attempt's; `errored` if there should be none.
  public var outcome: Outcome { attempts.last?.outcome ?? .errored }
}

/// What reading one report file came to, besides its cases.
public struct ReportReading: Hashable, Sendable {
  /// Something a reader of the results should know about the file.
  public struct Note: Hashable, Sendable {
    public enum Kind: String, Sendable, CaseIterable {
      /// Bytes or characters that XML cannot hold were replaced by U+FFFD.
      case repaired
      /// The file ends before its root element does.
      case truncated
      /// What follows cannot be understood.
      case malformed
      /// It holds what proctor does not process: a document type declaration.
      case refused
      /// Its own totals do not fit the cases it holds.
      case countsDisagree = "counts_disagree"
      /// Tests without a name, or with one that came before.
      case names
      /// It is text for people, in which tests can print what looks like a result.
      case plainText = "plain_text"
      /// It could not be read at all.
      case unreadable
      /// It is no report of tests.
      case notAReport = "not_a_report"
      /// It holds no tests.
      case noTests = "no_tests"
    }

    public let kind: Kind
    public let message: String

    public init(kind: Kind, message: String) {
      self.kind = kind
      self.message = message
    }
  }

  /// How many cases were read.
  public let cases: Int
  /// Errors that the report puts outside any case.
  public let errors: [RunError]
  public let notes: [Note]
  /// Whether all of the file was understood; otherwise cases may be missing and no verdict is green.
  public let isComplete: Bool
  /// Whether its own totals name more tests or failures than it holds: some are lost.
  public var claimsMore = false
  /// The tool that wrote it, and its version, as far as it says.
  public var tool: String?

  public init(cases: Int, errors: [RunError], notes: [Note], isComplete: Bool) {
    self.cases = cases
    self.errors = errors
    self.notes = notes
    self.isComplete = isComplete
  }
}
