public import FoundationEssentials
public import ProctorModel

/// A format that a whole run can be written in.
///
/// Pure and synchronous: what it needs besides the report stands in the context, and the report is never changed. A run
/// whose verdict is not `passed` must not look green to any reader of the format: what a format of tests cannot say
/// stands in it as a test that failed (`RunProblem`).
public protocol Renderer: Sendable {
  /// As users write it: `junit`.
  var name: String { get }
  /// What files of it are usually called: `.xml`.
  var suffix: String { get }
  /// Whether each line stands for itself, so that it may stand among other lines on standard output.
  var isLineOriented: Bool { get }

  /// - Throws: `RenderError` when there is no file of this format to be had.
  func render(_ report: Report, _ context: RenderContext) throws(RenderError) -> Rendering
}

extension Renderer {
  public var isLineOriented: Bool { false }
}

/// A report in a format.
public struct Rendering: Sendable {
  public let data: Data
  /// What was left out to stay within the limits of the format's readers, in sentences; empty when all is there.
  public let notes: [String]

  public init(_ data: Data, notes: [String] = []) {
    self.data = data
    self.notes = notes
  }
}

public struct RenderError: Error, Sendable {
  /// Why, in a sentence without its full stop.
  public let message: String

  public init(_ message: String) { self.message = message }
}

/// What files of a run say that is not in its report.
public struct RenderContext: Sendable {
  /// The name of the workspace's folder.
  public let workspace: String
  /// Of proctor.
  public let version: String
  /// The commit that is checked out; nil when the workspace is in no git repository.
  public let commit: String?
  /// The workspace's folder in its repository with `/` at the end; empty for its root. Platforms name files from there.
  public let prefix: String
  /// Seconds since 1970 when it is written; of a run that began, its beginning counts.
  public let date: Double
  /// Nobody can guess it; for pages whose scripts run by it.
  public let nonce: String
  /// Code around what went wrong.
  public let sources: [SourceExcerpt]

  public init(
    workspace: String, version: String, commit: String? = nil, prefix: String = "", date: Double,
    nonce: String, sources: [SourceExcerpt] = []
  ) {
    self.workspace = workspace
    self.version = version
    self.commit = commit
    self.prefix = prefix
    self.date = date
    self.nonce = nonce
    self.sources = sources
  }

  /// A file as the repository names it; an absolute path stays.
  func repositoryPath(_ file: String) -> String { file.hasPrefix("/") ? file : prefix + file }

  /// Seconds since 1970.
  func start(of report: Report) -> Double {
    report.beginning?.date ?? date - report.durationMS.clampedMS / 1000
  }
}

/// Every format, in the one place that lists them.
public enum RenderFormat {
  public static let all: [any Renderer] = [
    JUnitRenderer(), CTRFRenderer(), SARIFRenderer(), TAPRenderer(), MarkdownRenderer(),
    GitHubRenderer(), GitLabRenderer(), BuildkiteRenderer(), TeamCityRenderer(), HTMLRenderer(),
    OTelRenderer(), JSONRenderer(),
  ]

  public static func named(_ name: String) -> (any Renderer)? { all.first { $0.name == name } }
}
