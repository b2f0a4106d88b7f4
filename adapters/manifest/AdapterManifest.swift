import FoundationEssentials
import ProctorFormats
public import ProctorModel
import TOMLKit

/// A runner described in one TOML file; docs/adapters.md goes through it.
struct AdapterManifest: Decodable, Sendable {
  struct Detect: Decodable, Sendable {
    /// Base names, `*` allowed, of files whose folder is a project.
    let files: [String]
    /// What the file must contain to count.
    let contains: [String]?
    /// Base names, `*` allowed: at least one such file must be in or below the folder.
    let tests: [String]?
    /// Base names of files in the same folder that mean that something else builds and tests it.
    let unless: [String]?
  }

  struct Tool: Decodable, Sendable {
    /// Looked up on PATH.
    let program: String
    /// Paths relative to the project, or to a folder above it, that come first.
    let candidates: [String]?
    /// How to get it.
    let install: String
    /// Arguments that make it print the path of the real program behind a shim, and then the host
    /// folders it needs, a line each.
    let resolve: [String]?
    /// Arguments that print its version; nil when there are none.
    let version: [String]?
    /// Host folders it needs besides the system's own; `~` is the home folder.
    let reads: [String]?
  }

  struct Environment: Decodable, Sendable {
    let set: [String: String]?
    /// Names of the host's variables that tests may see; `*` at the end for all that begin so.
    let pass: [String]?
    /// Variables that name a folder of the cache, kept from run to run.
    let caches: [String: String]?
  }

  struct Step: Decodable, Sendable {
    let command: [String]
  }

  enum Format: String, Decodable, Sendable {
    case junit, tap, ctrf, json, lines
    case goJSON = "go-json"
    case jsonLines = "json-lines"
  }

  enum DurationUnit: String, Decodable, Sendable {
    case s, ms, us, ns

    var milliseconds: Double {
      switch self {
      case .s: 1000
      case .ms: 1
      case .us: 1e-3
      case .ns: 1e-6
      }
    }
  }

  /// How to read the tests of a listing or of a JSON report.
  struct Fields: Decodable, Sendable {
    /// The path of the list of tests, keys joined with dots; nil for the document itself.
    let items: String?
    let name: String?
    let suite: String?
    let file: String?
    let line: String?
    let id: String?
    let status: String?
    let message: String?
    let trace: String?
    let duration: String?
    let note: String?
    /// In the document, not in a test: a list of texts about errors outside tests.
    let errors: String?
    /// In the document: how many of those texts are about errors; nil when all are.
    let errors_count: String?
  }

  struct Listing: Decodable, Sendable {
    let command: [String]
    let format: Format
    /// Files to read; nil for stdout.
    let report: [String]?
    let fields: Fields?
    /// For lines, and for texts in JSON lines: a regex with the groups name, suite, file, line.
    let pattern: String?
    /// Whether a run may find more tests, below the listed ones.
    let dynamic: Bool?
  }

  struct Run: Decodable, Sendable {
    let command: [String]
    let format: Format
    /// Files to read; nil for stdout.
    let report: [String]?
    let fields: Fields?
    /// Words of the status field by outcome: passed, failed, skipped.
    let status: [String: [String]]?
    /// Of the duration field; nil for milliseconds.
    let duration_unit: DurationUnit?
  }

  struct Select: Decodable, Sendable {
    let command: [String]
    /// What stands for a test in `{tests}`.
    let test: String
    /// Between tests; nil: each is an argument of its own.
    let join: String?
    /// Whether tests are quoted as regular expressions.
    let regex: Bool?
  }

  struct Exit: Decodable, Sendable {
    let passed: [Int32]?
    let failed: [Int32]?
  }

  let name: String
  let enabled: Bool?
  let extensions: [String]
  let detect: Detect
  let tool: Tool
  let environment: Environment?
  /// Small files laid into `{files}`.
  let files: [String: String]?
  let fetch: Step?
  let build: Step?
  let list: Listing?
  let run: Run
  let select: Select?
  let exit: Exit?
  /// The full name of a test: `{suite}`, `{name}`, `{file}`.
  let names: String?
  /// Regular expressions with the groups file and line that find a failure's place in its text.
  let locate: [String]?
  /// Regular expressions with the groups message, file, line, column that find errors outside tests
  /// in the output.
  let errors: [String]?
}

/// A manifest that cannot be used.
public struct ManifestProblem: Error, Hashable, Sendable {
  /// The key that is wrong, dotted; nil for a problem of the whole file.
  public let key: String?
  public let message: String
}

extension AdapterManifest {
  private static let name = try? RegularExpression("^[a-z][a-z0-9_-]{0,31}$")
  /// Formats that hold results; the others only list.
  private static let reports: Set<Format> = [.junit, .tap, .ctrf, .goJSON, .json]
  private static let listings: Set<Format> = [.json, .jsonLines, .lines]

  /// - Throws: `ManifestProblem`.
  static func read(_ text: String) throws(ManifestProblem) -> AdapterManifest {
    let manifest: AdapterManifest
    do {
      manifest = try TOMLDecoder(strictDecoding: true).decode(AdapterManifest.self, from: text)
    } catch let error as TOMLParseError {
      throw ManifestProblem(
        key: nil, message: "line \(error.source.begin.line): \(error.description)")
    } catch {
      throw explain(error)
    }
    try manifest.check()
    return manifest
  }

  private static func explain(_ error: any Error) -> ManifestProblem {
    func path(_ keys: [any CodingKey]) -> String { keys.map(\.stringValue).joined(separator: ".") }
    switch error {
    case DecodingError.keyNotFound(let key, let context):
      let isNamed = context.codingPath.last?.stringValue == key.stringValue
      let missing = path(context.codingPath + (isNamed ? [] : [key]))
      return ManifestProblem(
        key: path(context.codingPath), message: "the key \(missing) is missing")
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
      DecodingError.dataCorrupted(let context):
      return ManifestProblem(
        key: path(context.codingPath),
        message: "\(path(context.codingPath)) has a value of the wrong kind")
    case let error as UnexpectedKeysError:
      let first = error.keys.values.map(path).sorted().first ?? "?"
      return ManifestProblem(key: first, message: "unknown key \(first)")
    default: return ManifestProblem(key: nil, message: "\(error)")
    }
  }

  /// The first key that reaches out of the sandbox.
  var keyThatNeedsTrust: String? {
    let keys: [(String, Bool)] = [
      ("tool.version", tool.version != nil), ("tool.resolve", tool.resolve != nil),
      ("tool.reads", tool.reads != nil), ("environment.pass", environment?.pass != nil),
      ("fetch", fetch != nil),
    ]
    return keys.first(where: \.1)?.0
  }

  private func check() throws(ManifestProblem) {
    guard (try? Self.name?.matches(name)) == true else {
      throw ManifestProblem(
        key: "name", message: "name must be lower-case letters, digits, - and _, 32 at most")
    }
    guard Self.reports.contains(run.format) else {
      throw ManifestProblem(
        key: "run.format", message: "run.format must be junit, tap, ctrf, go-json or json")
    }
    if let list, !Self.listings.contains(list.format) {
      throw ManifestProblem(
        key: "list.format", message: "list.format must be json, json-lines or lines")
    }
    if run.format == .json, run.fields?.name == nil || run.fields?.status == nil {
      throw ManifestProblem(
        key: "run.fields", message: "a json report needs run.fields.name and run.fields.status")
    }
    for (key, patterns) in [
      ("locate", locate ?? []), ("errors", errors ?? []),
      ("list.pattern", [list?.pattern].compactMap(\.self)),
    ] {
      for pattern in patterns {
        do {
          _ = try RegularExpression(pattern, multiline: true)
        } catch {
          throw ManifestProblem(key: key, message: "\(key) holds an invalid regex, \(pattern)")
        }
      }
    }
    for command in [run.command, list?.command, select?.command, build?.command, fetch?.command]
    where command?.isEmpty == true {
      throw ManifestProblem(key: "command", message: "a command is empty")
    }
  }
}
