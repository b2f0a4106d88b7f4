import FoundationEssentials
import ProctorModel
import ProctorSandbox

/// The only road from what was checked to an answer.
struct CheckVerdict {
  let outcomes: [CheckRunner.Outcome]
  /// Detected projects that nothing checks.
  let unchecked: [Project]
  let workspace: String
  /// Where its files are on this machine.
  let files: String
  let isInterrupted: Bool
  let durationMS: Double

  func answer() -> CheckAnswer {
    let diagnostics = diagnostics
    let (status, reason, message) = verdict(diagnostics)
    return CheckAnswer(
      status, reason: reason, message: message,
      diagnostics: withSources(diagnostics), parts: outcomes.map(\.part) + unchecked.map(part),
      sandbox: sandbox, durationMS: durationMS)
  }

  /// `passed` needs: everything that was detected was really checked, at least one file was, and no error.
  private func verdict(
    _ diagnostics: [Diagnostic]
  ) -> (CheckAnswer.Status, Verdict.Reason?, String?) {
    if isInterrupted { return (.error, .interrupted, "the check was interrupted") }
    if let part = outcomes.map(\.part).first(where: { $0.reason != nil }) {
      return (.error, part.reason, "\(part.project.title): \(part.message ?? "")")
    }
    if let project = unchecked.first {
      return (
        .error, .toolMissing,
        "\(project.title) (\(project.evidence)) cannot be checked: its runner has no step that only compiles. "
          + "Name what to check: proctor check PATH"
      )
    }
    let errors = diagnostics.filter { $0.severity == .error }
    if !errors.isEmpty {
      let count = errors.count == 1 ? "1 error" : "\(errors.count) errors"
      return errors.allSatisfy { $0.finder == .import }
        ? (.failed, .collectionFailed, "\(count) while importing")
        : (.failed, .buildFailed, count)
    }
    guard outcomes.contains(where: { $0.part.checked > 0 }) else {
      return (.nothingToCheck, .nothingDetected, "no file was checked")
    }
    return (.passed, nil, nil)
  }

  private func part(_ project: Project) -> CheckAnswer.Part {
    var part = CheckAnswer.Part(project)
    part.reason = .toolMissing
    part.message = "its runner has no step that only compiles"
    return part
  }

  // MARK: diagnostics

  /// Each once, whichever targets it was found in.
  static func unique(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
    struct Key: Hashable {
      let severity: Diagnostic.Severity
      let location: SourceLocation?
      let code: String?
      let message: String
    }
    var seen: Set<Key> = []
    return diagnostics.filter {
      seen.insert(
        Key(severity: $0.severity, location: $0.location, code: $0.code, message: $0.message)
      ).inserted
    }
  }

  /// Errors first, then by place.
  private var diagnostics: [Diagnostic] {
    let unique = Self.unique(outcomes.flatMap(\.diagnostics).map(relative))
    func rank(_ diagnostic: Diagnostic) -> (Int, String, Int, Int) {
      let severity = Diagnostic.Severity.allCases.firstIndex(of: diagnostic.severity) ?? 0
      let place = diagnostic.location
      return (severity, place?.file ?? "", place?.line ?? 0, place?.column ?? 0)
    }
    return unique.enumerated().sorted {
      let (left, right) = (rank($0.element), rank($1.element))
      return left == right ? $0.offset < $1.offset : left < right
    }.map(\.element)
  }

  /// Tools write absolute paths into their messages; answers are the same on every machine.
  private func relative(_ diagnostic: Diagnostic) -> Diagnostic {
    guard diagnostic.message.contains(workspace) else { return diagnostic }
    return Diagnostic(
      diagnostic.severity, by: diagnostic.finder,
      diagnostic.message.replacing(workspace + "/", with: ""), at: diagnostic.location,
      endLine: diagnostic.endLine, endColumn: diagnostic.endColumn, code: diagnostic.code,
      adapter: diagnostic.adapter)
  }

  private static let sourceLimit = 4 << 20
  private static let lineLimit = 300

  /// Adds the lines they are about, of those that will be shown.
  private func withSources(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
    var lines: [String: [String]] = [:]
    return diagnostics.enumerated().map { index, diagnostic in
      guard index < CheckAnswer.listed, let place = diagnostic.location, let line = place.line,
        !place.file.hasPrefix("/")
      else { return diagnostic }
      if lines[place.file] == nil {
        let data = source(place.file)
        lines[place.file] =
          data.map {
            $0.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
              .map { String(decoding: $0.prefix(Self.lineLimit), as: UTF8.self) }
          } ?? []
      }
      var diagnostic = diagnostic
      let own = lines[place.file] ?? []
      if line <= own.count { diagnostic.source = own[line - 1] }
      return diagnostic
    }
  }

  /// A file of the workspace; what a link leads to elsewhere is nobody's to see.
  private func source(_ path: String) -> Data? {
    guard let root = FileSystem.realPath(files), let real = FileSystem.realPath("\(root)/\(path)"),
      real.hasPrefix(root + "/")
    else { return nil }
    return FileSystem.read(real, limit: Self.sourceLimit)
  }

  /// The one with the fewest walls.
  private var sandbox: SandboxReceipt? {
    outcomes.flatMap(\.receipts).reversed().min { $0.layers.count < $1.layers.count }
  }
}
