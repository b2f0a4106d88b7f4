public import FoundationEssentials

/// What became of a piece of code.
public struct CodeAnswer: Sendable {
  /// Its result, or why there is none. A piece that came well to its end may have no result.
  public let call: FunctionAnswer
  /// The status with which it ended by itself; nil when it was killed or never ran.
  public let exitCode: Int32?
  public var pictures: ProducedFiles
  /// What it wrote to `output`.
  public var files: ProducedFiles

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

  /// Whether all that was to be written to this machine was.
  public var isWritten: Bool {
    (pictures.list + files.list).allSatisfy { if case .failed = $0.copy { false } else { true } }
  }
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
    /// What became of it on this machine; nil when it was not to be written.
    public var copy: Copy?

    public enum Copy: Hashable, Sendable {
      /// Relative to the folder for all.
      case written(String)
      /// Why it could not be.
      case failed(String)
    }

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
