import FoundationEssentials
import ProctorEngine

/// A result as its method makes it; what each era adds to it comes last.
struct MCPResult: Sendable {
  /// How long clients may keep it; only what is no result of a tool has it.
  enum Keeping: Sendable {
    /// The same for everybody while the server runs.
    case whole
    case notAtAll
  }

  let members: [(String, JSONValue)]
  let keeping: Keeping?
  let type: String

  init(_ members: [(String, JSONValue)], keeping: Keeping? = nil, type: String = "complete") {
    self.members = members
    self.keeping = keeping
    self.type = type
  }

  static let serverInfo: JSONValue = [
    "name": "proctor", "title": "proctor", "version": .string(ProctorVersion.text),
  ]
  static let capabilities: JSONValue = ["tools": [:], "resources": [:]]
  static let instructions: JSONValue = """
    proctor runs this workspace's tests in a sandbox and accounts for every one of them: what did not run is never \
    reported as passed. Start with run_all_tests; after a change run_test with the file or the id of a failing test \
    is quicker. Failures come with file and line, equal causes once; get_run shows the rest of a run. Mend the code \
    that is wrong, not the test: skipped and removed tests are told. What the sandbox denies is for the user to allow, \
    in proctor.toml.
    """

  func json(_ era: MCPEra) -> JSONValue {
    guard era.isStateless else { return .object(members) }
    var all = members
    all.append(("resultType", .string(type)))
    if let keeping {
      all.append(("ttlMs", keeping == .whole ? 3_600_000 : 0))
      all.append(("cacheScope", keeping == .whole ? "public" : "private"))
    }
    all.append(("_meta", [MCPEra.serverInfoKey: Self.serverInfo]))
    return .object(all)
  }
}
