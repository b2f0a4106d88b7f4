/// Some lines of a file of the workspace, around one that matters.
public struct SourceExcerpt: Hashable, Sendable, Codable {
  /// Relative to the workspace.
  public let file: String
  /// The number of the first of `lines`, from 1.
  public let first_line: Int
  public let lines: [String]
  /// True when the file was changed after the run began: the lines need not be those that ran.
  public let changed_since: Bool?

  public init(file: String, firstLine: Int, lines: [String], isChanged: Bool) {
    self.file = file
    first_line = firstLine
    self.lines = lines
    changed_since = isChanged ? true : nil
  }
}
