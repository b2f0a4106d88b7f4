import FoundationEssentials
import Glibc
import ProctorFormats
import ProctorModel

/// Turns what a report or a listing tells of tests into tests of the project, with the same names in
/// both.
struct ReportedTests {
  private let manifest: AdapterManifest
  private let context: AdapterContext
  private let sources: SourceFiles
  private let locators: [RegularExpression]
  private var seen: [String: Int] = [:]

  init(manifest: AdapterManifest, context: AdapterContext) {
    self.manifest = manifest
    self.context = context
    sources = SourceFiles(context: context, extensions: manifest.extensions)
    locators = (manifest.locate ?? []).compactMap { try? RegularExpression($0, multiline: true) }
  }

  mutating func test(_ row: TestTable.Row) -> TestCase {
    test(
      suite: row.suite ?? "", name: row.name,
      definition: row.file.map { SourceLocation(file: $0, line: row.line) }, id: row.id)
  }

  mutating func test(_ found: ReportedCase) -> TestCase {
    let suite = found.classname ?? found.suites.joined(separator: " > ")
    return test(suite: suite, name: found.name, definition: found.definition, id: nil)
  }

  private mutating func test(
    suite: String, name: String, definition: SourceLocation?, id: String?
  ) -> TestCase {
    let file = definition.map { sources.display($0.file) ?? context.display($0.file) }
    let full = fullName(suite: suite, name: name, file: file)
    seen[full, default: 0] += 1
    return TestCase(
      id: TestID(project: context.project, fullName: full, occurrence: seen[full] ?? 1),
      project: context.project, suite: suite, name: name, fullName: full,
      definition: file.map { SourceLocation(file: $0, line: definition?.line) },
      file: file ?? sources.named(suite), nativeID: id ?? name)
  }

  private func fullName(suite: String, name: String, file: String?) -> String {
    guard let template = manifest.names else { return suite.isEmpty ? name : "\(suite) > \(name)" }
    return template.replacing("{suite}", with: suite).replacing("{name}", with: name)
      .replacing("{file}", with: file ?? "")
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// The last attempt, each failure with the place that the report or its text tells.
  func attempt(_ found: ReportedCase) -> Attempt {
    guard let last = found.attempts.last else {
      return Attempt(outcome: .errored, rawStatus: "no result")
    }
    let stdout = last.stdout?.text ?? ""
    return Attempt(
      outcome: last.outcome, rawStatus: last.rawStatus, durationMS: last.durationMS,
      failures: last.failures.map { failure in
        let (message, frames) = withoutForeignFrames(failure.message)
        return Failure(
          message: message,
          location: failure.location.flatMap(own) ?? place(in: failure.message)
            ?? place(in: stdout),
          frames: failure.frames.isEmpty ? frames : failure.frames)
      }, note: last.note, stdout: last.stdout, stderr: last.stderr)
  }

  private func own(_ location: SourceLocation) -> SourceLocation? {
    sources.display(location.file).map {
      SourceLocation(file: $0, line: location.line, column: location.column)
    }
  }

  /// Stacks go through the runner and its libraries: only lines about the user's own files stay.
  private func withoutForeignFrames(_ text: String) -> (message: String, frames: [Frame]) {
    var kept: [Substring] = []
    var frames: [Frame] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let groups = locators.lazy.compactMap { try? $0.captures(in: String(line), most: 1).first }
        .first
      guard let file = groups?["file"] else {
        kept.append(line)
        continue
      }
      guard let own = sources.display(file) else { continue }
      frames.append(Frame(function: nil, file: own, line: groups?["line"].flatMap { Int($0) }))
      kept.append(line)
    }
    let message = kept.drop(while: \.isEmpty).joined(separator: "\n")
    return (message.isEmpty ? text : message, frames)
  }

  /// The first place in a text that is a file of the user's own.
  func place(in text: String) -> SourceLocation? {
    for locator in locators {
      for groups in (try? locator.captures(in: text, most: 200)) ?? [] {
        guard let file = groups["file"].flatMap(sources.display),
          let line = groups["line"].flatMap({ Int($0) })
        else { continue }
        return SourceLocation(file: file, line: line)
      }
    }
    return nil
  }
}

/// The project's source files, to find those that tools name by the end of their path only.
final class SourceFiles {
  private static let most = 100_000
  private static let skipped: Set<String> = [
    "node_modules", "target", "build", "vendor", ".git", ".build",
  ]

  private let context: AdapterContext
  private let extensions: [String]
  private lazy var files: [String: [String]] = index()

  init(context: AdapterContext, extensions: [String]) {
    self.context = context
    self.extensions = extensions
  }

  /// The path relative to the workspace of an existing file of the user's own, given as tools write
  /// it: absolute, relative to the project, or only the end; nil when there is none or several.
  func display(_ path: String) -> String? {
    let shown = context.display(path)
    if context.isUserCode(shown), access("\(context.files)/\(shown)", F_OK) == 0 {
      return shown
    }
    guard !path.hasPrefix("/"), let name = path.split(separator: "/").last else { return nil }
    let found = (files[String(name)] ?? []).filter {
      $0 == path || $0.hasSuffix("/" + path.trimmingPrefix("./"))
    }
    return found.count == 1 ? context.display(found[0]) : nil
  }

  /// The file of a class or module: `org.example.FooTest` or `spec/foo_spec.rb`.
  func named(_ suite: String) -> String? {
    if suite.isEmpty { return nil }
    if let file = display(suite) { return file }
    guard let type = suite.split(separator: ".").last?.prefix(while: { $0 != "$" }) else {
      return nil
    }
    return extensions.lazy.compactMap { self.display("\(type).\($0)") }.first
  }

  private func index() -> [String: [String]] {
    var result: [String: [String]] = [:]
    var count = 0
    var pending = [context.projectDirectory]
    while let folder = pending.popLast(), count < Self.most {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: context.readable(folder)))
        ?? []
      {
        let path = "\(folder)/\(name)"
        var status = stat()
        guard lstat(context.readable(path), &status) == 0 else { continue }
        if (status.st_mode & S_IFMT) == S_IFDIR {
          if !Self.skipped.contains(name) && !name.hasPrefix(".") { pending.append(path) }
        } else if extensions.contains(where: { name.hasSuffix("." + $0) }) {
          result[name, default: []].append(path)
          count += 1
        }
      }
    }
    return result
  }
}
