/// Which reports to read, and how much of them to keep.
public struct IngestRequest: Sendable {
  /// Bytes of tests that are kept; the others are counted.
  public struct Limits: Sendable {
    public var failureBytes = 12 << 20
    /// Of tests that passed or were skipped.
    public var otherBytes = 64 << 20

    public init() {}
  }

  /// The files that are taken in folders, for messages.
  public static var endings: String {
    IngestFiles.extensions.map { "*.\($0)" }.joined(separator: ", ")
  }

  /// Files, and folders of them, absolute or relative to `base`.
  public let paths: [String]
  /// An absolute folder.
  public let base: String
  /// Whether tests that did not fail are wanted, too.
  public var keepsAll = false
  /// Whether files outside the workspace are refused.
  public var isConfined = false
  public var limits = Limits()

  public init(paths: [String], base: String) {
    self.paths = paths
    self.base = base
  }
}
