/// A place in the user's code.
public struct SourceLocation: Hashable, Sendable, Codable {
  /// Relative to the workspace root with `/`; absolute for a file outside it.
  public let file: String
  /// 1-based; nil when only the file is known.
  public let line: Int?
  /// 1-based; nil when unknown.
  public let column: Int?

  /// Lines and columns below 1 mean "unknown" in every runner, and become nil.
  public init(file: String, line: Int? = nil, column: Int? = nil) {
    self.file = file
    self.line = line.flatMap { $0 > 0 ? $0 : nil }
    self.column = self.line == nil ? nil : column.flatMap { $0 > 0 ? $0 : nil }
  }

  /// `file:line:column` as far as known.
  public var text: String {
    [file, line.map(String.init), column.map(String.init)].compactMap(\.self).joined(separator: ":")
  }
}
