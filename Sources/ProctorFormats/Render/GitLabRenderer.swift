import FoundationEssentials
public import ProctorModel

/// GitLab's code quality report: a list of what is wrong, shown in merge requests beside the code.
///
/// GitLab drops an entry without a file and a line. One whose line is not known stands at line 1 and says so; one of which
/// no file is known stands at the file `.`.
public struct GitLabRenderer: Renderer {
  public let name = "gitlab"
  public let suffix = ".json"
  private static let messageLimit = 2000

  public init() {}

  public func render(
    _ report: Report, _ context: RenderContext
  ) throws(RenderError) -> Rendering {
    var entries =
      report.problems.map { problem in
        Entry(
          problem.kind.rawValue, .critical, "\(problem.title): \(problem.message)",
          at: problem.location, key: problem.key, context)
      }
    entries += report.failed.map { result in
      Entry(
        "test-\(result.outcome.rawValue)", .major,
        "\(result.test.fullName): \(result.last.failureLine)", at: result.place,
        key: "test\n\(result.test.id)", context)
    }
    entries += report.flakyPasses.map { result in
      Entry(
        "test-flaky", .minor, "\(result.test.fullName) passed after an attempt that failed",
        at: result.place, key: "flaky\n\(result.test.id)", context)
    }
    return Rendering(ContractJSON.encode(Self.numbered(entries)))
  }

  /// GitLab takes entries of one fingerprint for one.
  private static func numbered(_ entries: [Entry]) -> [Entry] {
    var times: [String: Int] = [:]
    return entries.map { entry in
      times[entry.fingerprint, default: 0] += 1
      let number = times[entry.fingerprint] ?? 1
      var entry = entry
      if number > 1 { entry.fingerprint = StableID.hex128("\(entry.fingerprint)\n\(number)") }
      return entry
    }
  }

  private struct Entry: Encodable {
    enum Severity: String, Encodable { case minor, major, critical }

    struct Location: Encodable {
      struct Lines: Encodable { let begin: Int }

      let path: String
      let lines: Lines
    }

    let check_name: String
    let description: String
    let severity: Severity
    var fingerprint: String
    let location: Location

    init(
      _ check: String, _ severity: Severity, _ text: String, at place: SourceLocation?, key: String,
      _ context: RenderContext
    ) {
      check_name = check
      self.severity = severity
      let unknown =
        place == nil ? " (no file is known)" : place?.line == nil ? " (the line is not known)" : ""
      description =
        text.bounded(GitLabRenderer.messageLimit).harmless(multiline: false) + unknown
      fingerprint = StableID.hex128(key)
      location = Location(
        path: place.map { context.repositoryPath($0.file) } ?? ".",
        lines: Location.Lines(begin: place?.line ?? 1))
    }
  }
}
