import ProctorAdapters
import ProctorModel
import ProctorSandbox
import TOMLKit

/// Reads `proctor.toml`; every complaint names the key, the file and the line.
struct ConfigurationReader {
  private let text: String
  private let adapters: Set<String>
  /// As complaints name it.
  private var file = Configuration.fileName

  /// - Throws: `EngineError` with code `configuration`.
  static func read(_ text: String, adapters: [AdapterID]) throws(EngineError) -> Configuration {
    let reader = ConfigurationReader(text: text, adapters: Set(adapters.map(\.rawValue)))
    return try reader.configuration(try reader.table())
  }

  /// The same of a user's own settings.
  static func readUser(_ text: String, path: String) throws(EngineError) -> UserSettings {
    let reader = ConfigurationReader(text: text, adapters: [], file: path)
    var result = UserSettings()
    for (key, value) in try reader.table() {
      switch key {
      case "audit": result.audit = try reader.userAudit(try reader.section(value, key))
      case "history": result.history = try reader.history(try reader.section(value, key))
      default: throw reader.unknown(key, in: [], known: ["audit", "history"])
      }
    }
    return result
  }

  private func table() throws(EngineError) -> TOMLTable {
    do {
      return try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      throw broken("line \(error.source.begin.line): \(error.description)")
    } catch {
      throw broken("\(error)")
    }
  }

  private func configuration(_ table: TOMLTable) throws(EngineError) -> Configuration {
    var result = Configuration()
    result.fromFile = true
    for (key, value) in table {
      switch key {
      case "execution":
        result.execution = try execution(try section(value, "execution"))
      case "tests":
        result.tests = try tests(try section(value, "tests"))
      case "validation":
        result.validation = try validation(try section(value, "validation"))
      case "audit": result.audit = try audit(try section(value, "audit"))
      case "history": result.history = try history(try section(value, "history"))
      default:
        throw unknown(
          key, in: [], known: ["audit", "execution", "history", "tests", "validation"])
      }
    }
    return result
  }

  private func audit(_ table: TOMLTable) throws(EngineError) -> Configuration.Audit {
    var result = Configuration.Audit()
    let at = ["audit"]
    for (key, value) in table {
      switch key {
      case "required": result.isRequired = try bool(value, key, at)
      case "retention_days", "max_mb":
        throw EngineError(
          .configuration, "\(place(key, at)): audit.\(key) is not for a workspace to say",
          resolution:
            "All workspaces have one trail. Put it into ~/.config/proctor/\(Configuration.fileName)."
        )
      default: throw unknown(key, in: at, known: ["required"])
      }
    }
    return result
  }

  private func userAudit(_ table: TOMLTable) throws(EngineError) -> UserSettings.Audit {
    var result = UserSettings.Audit()
    let at = ["audit"]
    for (key, value) in table {
      switch key {
      case "required": result.isRequired = try bool(value, key, at)
      case "retention_days": result.retentionDays = try integer(value, key, at, 1...36_500)
      case "max_mb": result.maxMegabytes = try integer(value, key, at, 1...1_048_576)
      default: throw unknown(key, in: at, known: ["required", "retention_days", "max_mb"])
      }
    }
    return result
  }

  private func history(_ table: TOMLTable) throws(EngineError) -> Configuration.History {
    var result = Configuration.History()
    let at = ["history"]
    for (key, value) in table {
      switch key {
      case "enabled": result.isEnabled = try bool(value, key, at)
      case "max_mb": result.maxMegabytes = try integer(value, key, at, 1...1_048_576)
      case "keep_days": result.keepDays = try integer(value, key, at, 1...36_500)
      default: throw unknown(key, in: at, known: ["enabled", "max_mb", "keep_days"])
      }
    }
    return result
  }

  private func execution(_ table: TOMLTable) throws(EngineError) -> Configuration.Execution {
    var result = Configuration.Execution()
    let at = ["execution"]
    for (key, value) in table {
      switch key {
      case "enabled": result.enabled = try bool(value, key, at)
      case "isolation": result.isolation = try isolation(value, key, at)
      case "image": result.image = try string(value, key, at)
      case "engine":
        result.engine = try string(value, key, at)
        guard ["docker", "podman"].contains(result.engine) else {
          throw wrong(key, at, "\"docker\" or \"podman\"")
        }
      case "max_memory_mb":
        result.maxMemoryMB = try integer(value, key, at, 1...1_048_576)
        result.named.insert(.memoryMB)
      case "max_cpu_time_seconds":
        result.maxCPUTimeSeconds = try integer(value, key, at, 1...86_400)
        result.named.insert(.cpuSeconds)
      case "default_timeout_seconds":
        result.defaultTimeoutSeconds = try integer(value, key, at, 1...86_400)
      case "max_file_operations":
        result.maxFileOperations = try integer(value, key, at, 0...1_000_000_000)
        result.named.insert(.fileOperations)
      case "max_network_requests":
        result.maxNetworkRequests = try integer(value, key, at, 0...1_000_000_000)
        result.named.insert(.networkRequests)
      case "allow_filesystem_access": result.allowFilesystemAccess = try bool(value, key, at)
      case "allow_network_access": result.allowNetworkAccess = try bool(value, key, at)
      case "require_user_confirmation": result.requireUserConfirmation = try bool(value, key, at)
      default:
        throw unknown(
          key, in: at,
          known: [
            "enabled", "isolation", "image", "engine", "max_memory_mb", "max_cpu_time_seconds",
            "default_timeout_seconds", "max_file_operations", "max_network_requests",
            "allow_filesystem_access", "allow_network_access", "require_user_confirmation",
          ])
      }
    }
    return result
  }

  private func validation(_ table: TOMLTable) throws(EngineError) -> Configuration.Validation {
    var result = Configuration.Validation()
    let at = ["validation"]
    for (key, value) in table {
      switch key {
      case "allow_modules": result.allowModules = try modules(value, key, at)
      case "deny_modules": result.denyModules = try modules(value, key, at)
      case "confirm_at": result.confirmAt = try threshold(value, key, at)
      default:
        throw unknown(key, in: at, known: ["allow_modules", "deny_modules", "confirm_at"])
      }
    }
    return result
  }

  private func tests(_ table: TOMLTable) throws(EngineError) -> Configuration.Tests {
    var result = Configuration.Tests()
    let at = ["tests"]
    for (key, value) in table {
      switch key {
      case "timeout_seconds": result.timeoutSeconds = try integer(value, key, at, 1...604_800)
      case "test_timeout_seconds":
        result.testTimeoutSeconds = try integer(value, key, at, 1...604_800)
      case _ where Self.limits[key] != nil:
        guard let (name, range) = Self.limits[key] else { continue }
        result.limits[name] = try integer(value, key, at, range)
      case "workspace": result.workspace = try workspace(value, key, at)
      case "keep": result.keep = try patterns(value, key, at)
      case "read": result.read = try paths(value, key, at)
      case "allow_network_access": result.allowNetworkAccess = try bool(value, key, at)
      case "fetch": result.fetch = try bool(value, key, at)
      case "retries": result.retries = try integer(value, key, at, 0...100)
      case "flaky": result.flaky = try flaky(value, key, at)
      case "allow": result.allow = try findings(value, key, at)
      case _ where adapters.contains(key):
        result.adapters[AdapterID(rawValue: key)] = try adapter(try section(value, key), key)
      default:
        throw unknown(
          key, in: at,
          known: [
            "timeout_seconds", "test_timeout_seconds", "workspace", "keep", "read",
            "allow_network_access", "fetch", "retries", "flaky", "allow",
          ] + Self.limits.keys.sorted() + adapters.sorted())
      }
    }
    return result
  }

  /// Each limit's key and what it may be.
  private static let limits: [String: (ResourceLimits.Name, ClosedRange<Int>)] = {
    let ranges: [ResourceLimits.Name: ClosedRange<Int>] = [
      .cpuSeconds: 1...604_800, .memoryMB: 16...1_048_576, .processes: 1...4_194_304,
      .openFiles: 16...1_048_576, .fileSizeMB: 1...1_048_576, .scratchMB: 1...1_048_576,
      .scratchFiles: 64...1_000_000_000, .outputMB: 1...1_048_576,
      .fileOperations: 0...1_000_000_000, .networkRequests: 0...1_000_000_000,
    ]
    let pairs = ranges.map { ("max_\($0.key.rawValue)", ($0.key, $0.value)) }
    return Dictionary(pairs) { first, _ in first }
  }()

  private func adapter(_ table: TOMLTable, _ name: String) throws(EngineError) -> AdapterSettings {
    var result = AdapterSettings()
    let at = ["tests", name]
    for (key, value) in table {
      switch key {
      case "enabled": result.enabled = try bool(value, key, at)
      case "root": result.root = try root(value, key, at)
      case "interpreter": result.interpreter = try string(value, key, at)
      case "args": result.arguments = try strings(value, key, at)
      case "env": result.environment = try environment(value, key, at)
      default:
        throw unknown(key, in: at, known: ["enabled", "root", "interpreter", "args", "env"])
      }
    }
    return result
  }

  // MARK: values

  private func section(_ value: any TOMLValueConvertible, _ key: String) throws(EngineError)
    -> TOMLTable
  {
    guard let table = value.table else { throw wrong(key, [], "a table: [\(key)]") }
    return table
  }

  private func bool(
    _ value: any TOMLValueConvertible, _ key: String, _ at: [String]
  ) throws(EngineError) -> Bool {
    guard let bool = value.bool else { throw wrong(key, at, "true or false") }
    return bool
  }

  private func integer(
    _ value: any TOMLValueConvertible, _ key: String, _ at: [String], _ range: ClosedRange<Int>
  ) throws(EngineError) -> Int {
    guard let integer = value.int, range.contains(integer) else {
      throw wrong(key, at, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }

  private func string(
    _ value: any TOMLValueConvertible, _ key: String, _ at: [String]
  ) throws(EngineError) -> String {
    guard let string = value.string, !string.isEmpty else { throw wrong(key, at, "a text") }
    return string
  }

  private func strings(
    _ value: any TOMLValueConvertible, _ key: String, _ at: [String]
  ) throws(EngineError) -> [String] {
    let items = value.array.map { $0.map(\.string) }
    guard let items, !items.contains(nil) else { throw wrong(key, at, "a list of texts") }
    return items.compactMap(\.self)
  }

  private func modules(
    _ value: any TOMLValueConvertible, _ key: String, _ at: [String]
  ) throws(EngineError) -> [String] {
    let names = try strings(value, key, at)
    guard names.allSatisfy(ModuleName.isName) else {
      throw wrong(
        key, at, "a list of module names, such as \"os.path\", \"fs/promises\", \"std::fs\"")
    }
    return names
  }

  /// nil for "never".
  private func threshold(
    _ value: any TOMLValueConvertible, _ key: String, _ at: [String]
  ) throws(EngineError) -> RiskLevel? {
    if value.string == "never" { return nil }
    guard let level = value.string.flatMap(RiskLevel.init) else {
      let known = RiskLevel.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
      throw wrong(key, at, "one of \(known), \"never\"")
    }
    return level
  }

  private func findings(
    _ value: any TOMLValueConvertible, _ key: String, _ at: [String]
  ) throws(EngineError) -> Set<RunError.Finding> {
    let found = try strings(value, key, at).map(RunError.Finding.init)
    guard !found.contains(nil) else {
      let known = RunError.Finding.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
      throw wrong(key, at, "a list of \(known)")
    }
    return Set(found.compactMap(\.self))
  }

  private func flaky(
    _ value: any TOMLValueConvertible, _ key: String, _ at: [String]
  ) throws(EngineError) -> FlakyPolicy {
    guard let policy = value.string.flatMap(FlakyPolicy.init) else {
      throw wrong(key, at, "\"fail\", \"warn\" or \"pass\"")
    }
    return policy
  }

  private func environment(
    _ value: any TOMLValueConvertible, _ key: String, _ at: [String]
  ) throws(EngineError) -> [String: String] {
    guard let table = value.table else { throw wrong(key, at, "a table of texts") }
    var result: [String: String] = [:]
    for (name, value) in table {
      guard let text = value.string, !name.contains("="), !name.isEmpty else {
        throw wrong(name, at + [key], "a text")
      }
      result[name] = text
    }
    return result
  }

  private func root(
    _ value: any TOMLValueConvertible, _ key: String, _ at: [String]
  ) throws(EngineError) -> String {
    let path = try string(value, key, at)
    let parts = path.split(separator: "/")
    guard !path.hasPrefix("/"), !parts.contains("..") else {
      throw wrong(key, at, "a folder inside the workspace, relative to its root")
    }
    let normal = parts.filter { $0 != "." }.joined(separator: "/")
    return normal.isEmpty ? "." : normal
  }

  private func workspace(
    _ value: any TOMLValueConvertible, _ key: String, _ at: [String]
  ) throws(EngineError) -> SandboxPolicy.WorkspaceAccess {
    guard let access = value.string.flatMap(SandboxPolicy.WorkspaceAccess.init) else {
      throw wrong(key, at, "\"protected\", \"read-only\" or \"writable\"")
    }
    return access
  }

  private func patterns(
    _ value: any TOMLValueConvertible, _ key: String, _ at: [String]
  ) throws(EngineError) -> [String] {
    let patterns = try strings(value, key, at)
    guard patterns.allSatisfy({ !$0.hasPrefix("/") && !$0.split(separator: "/").contains("..") })
    else { throw wrong(key, at, "a list of patterns relative to the workspace") }
    return patterns
  }

  private func paths(
    _ value: any TOMLValueConvertible, _ key: String, _ at: [String]
  ) throws(EngineError) -> [String] {
    let paths = try strings(value, key, at)
    guard paths.allSatisfy({ $0.hasPrefix("/") && !$0.split(separator: "/").contains("..") })
    else { throw wrong(key, at, "a list of absolute paths") }
    return paths
  }

  private func isolation(
    _ value: any TOMLValueConvertible, _ key: String, _ at: [String]
  ) throws(EngineError) -> Configuration.Isolation {
    guard let isolation = value.string.flatMap(Configuration.Isolation.init) else {
      let known = Configuration.Isolation.allCases.map { "\"\($0.rawValue)\"" }
      throw wrong(key, at, "one of \(known.joined(separator: ", "))")
    }
    return isolation
  }

  // MARK: complaints

  private func unknown(_ key: String, in at: [String], known: [String]) -> EngineError {
    let nearest = Suggestions.nearest(to: key, among: known, most: 1).first
    return EngineError(
      .configuration, "\(place(key, at)): unknown key \((at + [key]).joined(separator: "."))",
      resolution: nearest.map { "Did you mean \($0)? " } ?? ""
        + "Known keys here: \(known.joined(separator: ", ")).")
  }

  private func wrong(_ key: String, _ at: [String], _ expected: String) -> EngineError {
    EngineError(
      .configuration,
      "\(place(key, at)): \((at + [key]).joined(separator: ".")) must be \(expected)",
      resolution: "Correct the value, or remove the key to get the default.")
  }

  private func broken(_ what: String) -> EngineError {
    EngineError(
      .configuration, "\(file): \(what)", resolution: "Correct the TOML syntax.")
  }

  private func place(_ key: String, _ at: [String]) -> String {
    let line = Self.lineNumber(of: key, in: at.joined(separator: "."), text)
    return file + (line.map { ":\($0)" } ?? "")
  }

  /// The line that defines a key. The parser keeps no positions of keys, so the text is searched:
  /// the first line starting with the key below its section's header, else any line that has it.
  static func lineNumber(of path: String, in text: String) -> Int? {
    let keys = path.split(separator: ".").map(String.init)
    return keys.last.flatMap {
      lineNumber(of: $0, in: keys.dropLast().joined(separator: "."), text)
    }
  }

  private static func lineNumber(of key: String, in section: String, _ text: String) -> Int? {
    var current = ""
    var elsewhere: Int?
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      let line = line.drop { $0 == " " || $0 == "\t" }
      if line.hasPrefix("[") {
        current = String(line.dropFirst().prefix { $0 != "]" }).replacing(" ", with: "")
        if current == (section.isEmpty ? key : "\(section).\(key)") { return index + 1 }
      }
      let name = line.prefix { $0 != "=" && $0 != " " && $0 != "." && $0 != "\t" }
      if name == key || name == "\"\(key)\"" {
        if current == section { return index + 1 }
        elsewhere = elsewhere ?? index + 1
      } else if elsewhere == nil, line.contains(key) {
        elsewhere = index + 1
      }
    }
    return elsewhere
  }
}
