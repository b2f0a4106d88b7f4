/// What a compiler, an interpreter or proctor has to say about a place in the code, without running tests.
public struct Diagnostic: Hashable, Sendable {
  public enum Severity: String, Sendable, Codable, CaseIterable {
    case error, warning, note
  }

  /// What found it.
  public enum Finder: String, Sendable, Codable {
    /// Reading the code, none of it run.
    case compile
    /// Looking for what it imports, none of it run.
    case resolve
    /// Really importing it, which runs it.
    case `import`
  }

  public let severity: Severity
  public let finder: Finder
  public let message: String
  /// nil for what belongs to no file.
  public var location: SourceLocation?
  /// Where it ends, 1-based, the column after its last character; nil when unknown.
  public let endLine: Int?
  public let endColumn: Int?
  /// `E0425`, `TS2304`, `SyntaxError`.
  public let code: String?
  public let adapter: AdapterID
  /// The line of the source; nil when it cannot be had.
  public var source: String?

  public init(
    _ severity: Severity, by finder: Finder, _ message: String, at location: SourceLocation? = nil,
    endLine: Int? = nil, endColumn: Int? = nil, code: String? = nil, adapter: AdapterID,
    source: String? = nil
  ) {
    self.severity = severity
    self.finder = finder
    self.message = message
    self.location = location
    self.endLine = location?.line == nil ? nil : endLine
    self.endColumn = self.endLine == nil ? nil : endColumn
    self.code = code
    self.adapter = adapter
    self.source = source
  }

  /// An error of a build as one.
  public init(_ error: RunError, adapter: AdapterID) {
    self.init(
      .error, by: .compile, error.message, at: error.location, code: error.code, adapter: adapter)
  }
}
