/// What the change that a gate judges does to files, and to tests by it.
public struct GateChange: Hashable, Sendable {
  /// A test that asserts less than before, by a count of what looks like assertions.
  public struct Weakened: Hashable, Sendable {
    /// nil where it cannot be told which test of the file.
    public let test: TestID?
    /// As head has it.
    public let file: String
    public let line: Int?
    public let before: Int
    public let after: Int

    public init(test: TestID?, file: String, line: Int?, before: Int, after: Int) {
      self.test = test
      self.file = file
      self.line = line
      self.before = before
      self.after = after
    }
  }

  /// By path.
  public let files: [CandidateChange.File]
  /// `[gate]` is another one in head, which has no say.
  public let editsPolicy: Bool
  /// The quarantine file is another one in head, whose entries do not count.
  public let editsQuarantine: Bool
  /// By file and line.
  public let weakened: [Weakened]

  public init(
    files: [CandidateChange.File], editsPolicy: Bool = false, editsQuarantine: Bool = false,
    weakened: [Weakened] = []
  ) {
    self.files = files
    self.editsPolicy = editsPolicy
    self.editsQuarantine = editsQuarantine
    self.weakened = weakened
  }

  /// Files that are tests, or decide how tests run.
  public var testFiles: [String] { files.filter(\.touchesTests).map(\.path) }
  /// Whether it also changes what is tested.
  public var editsCode: Bool { files.contains { !$0.touchesTests } }

  public func touches(_ file: String?) -> Bool {
    file.map { name in files.contains { $0.path == name } } ?? false
  }
}
