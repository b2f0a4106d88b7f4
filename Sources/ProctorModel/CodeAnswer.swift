public import FoundationEssentials

/// What became of a piece of code.
public struct CodeAnswer: Sendable {
  /// Its result, or why there is none. A piece that came well to its end may have no result.
  public let call: FunctionAnswer
  /// The status with which it ended by itself; nil when it was killed or never ran.
  public let exitCode: Int32?
  public let pictures: ProducedFiles
  /// What it wrote to `output`.
  public let files: ProducedFiles

  public init(
    call: FunctionAnswer, exitCode: Int32? = nil, pictures: ProducedFiles = ProducedFiles(),
    files: ProducedFiles = ProducedFiles()
  ) {
    self.call = call
    self.exitCode = exitCode
    self.pictures = pictures
    self.files = files
  }

  /// Nothing was run.
  public init(_ failure: FunctionFailure) { self.init(call: FunctionAnswer(failure)) }
}

/// Files that a piece of code made, as far as the limits let them come back.
public struct ProducedFiles: Sendable {
  public struct File: Sendable {
    /// Relative, with `/`; bytes that are not UTF-8 are replaced.
    public let path: String
    /// nil for what is no regular file.
    public let bytes: Int?
    public let content: Data?
    /// Why there is no content; nil when there is.
    public let omitted: String?

    public init(path: String, bytes: Int?, content: Data?, omitted: String?) {
      self.path = path
      self.bytes = bytes
      self.content = content
      self.omitted = omitted
    }
  }

  /// Sorted by path.
  public var list: [File] = []
  /// How many more there are that are not listed.
  public var omitted = 0

  public init() {}
}
