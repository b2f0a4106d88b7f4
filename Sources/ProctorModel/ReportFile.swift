/// A file of a foreign tool that was read, and what it came to.
public struct ReportFile: Hashable, Sendable {
  /// Something a reader of the results should know about the file.
  public struct Note: Hashable, Sendable {
    /// A word of a closed list, such as `truncated`.
    public let kind: String
    public let message: String

    public init(kind: String, message: String) {
      self.kind = kind
      self.message = message
    }
  }

  /// Relative to the workspace; absolute for a file outside it.
  public let file: String
  /// nil when it is not known.
  public let format: String?
  /// The tool that wrote it, as far as it says.
  public let tool: String?
  public let counts: Counts
  /// What its tests took in sum, in milliseconds; nil when it says of none.
  public let durationMS: Double?
  public var notes: [Note]
  /// Whether all of it was understood.
  public let isComplete: Bool

  public init(
    file: String, format: String?, tool: String?, counts: Counts, durationMS: Double?,
    notes: [Note], isComplete: Bool
  ) {
    self.file = file
    self.format = format
    self.tool = tool
    self.counts = counts
    self.durationMS = durationMS
    self.notes = notes
    self.isComplete = isComplete
  }
}

extension Report {
  /// What a report that was read from files has besides.
  public struct Reading: Sendable {
    public let files: [ReportFile]
    /// Of all tests, of which only some may be kept.
    public let counts: Counts
    /// Failed tests that are counted and not kept.
    public let failuresOmitted: Int

    public init(files: [ReportFile], counts: Counts, failuresOmitted: Int) {
      self.files = files
      self.counts = counts
      self.failuresOmitted = failuresOmitted
    }
  }
}

/// How the place of a failure was found in what a foreign tool wrote.
public struct LocationOrigin: Hashable, Sendable {
  public enum Source: String, Sendable, Codable {
    /// The report has a field for it.
    case attribute
    /// The failure's own words name it.
    case message
    /// A frame of the stack that it shows.
    case trace
  }

  public enum Confidence: String, Sendable, Codable {
    /// The whole path names a file of the workspace.
    case high
    /// The end of the path, with a folder at least, names exactly one.
    case medium
    /// The file's name alone names exactly one, or the report's word could not be checked.
    case low
  }

  public let source: Source
  public let confidence: Confidence

  public init(source: Source, confidence: Confidence) {
    self.source = source
    self.confidence = confidence
  }
}
