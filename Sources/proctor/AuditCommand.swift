public import ArgumentParser
import FoundationEssentials
import Glibc
public import ProctorAudit
import ProctorEngine
import ProctorServer

extension AuditDoorKind: ExpressibleByArgument {}

struct Audit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Show what was called, by whom, with what result; verify that the record is whole.",
    discussion: """
      Every call of every door is recorded before it begins and when it ended, in the cache folder; docs/audit.md \
      says what is recorded and what is masked. Reading the trail is not recorded.

      EXAMPLES
        proctor audit                              the newest calls of all workspaces
        proctor audit --workspace . --since 2h     of this workspace, in the last two hours
        proctor audit --door mcp --status lost     what an agent's session did not live to end
        proctor audit --format json --limit 1000
        proctor audit show 41                      all of one call
        proctor audit verify                       whether an entry was changed, removed or put in

      EXIT STATUS
        0 shown, or the chain is intact · 1 the chain is broken · 2 wrong usage, or no such call
        5 the trail cannot be read
      """, subcommands: [ListCalls.self, ShowCall.self, Verify.self],
    defaultSubcommand: ListCalls.self)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case json, text
  }

  fileprivate static func reader() throws -> AuditReader {
    do {
      let environment = ProcessInfo.processInfo.environment
      return AuditReader(folder: try UserSettings.auditFolder(environment))
    } catch {
      Console.error("proctor: \(error.message)\n\(error.resolution)")
      throw ProctorExit(error).code
    }
  }

  /// - Throws: `ExitCode` when the trail cannot be read.
  fileprivate static func reading<Result>(
    _ body: () throws(AuditError) -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch {
      Console.error("proctor: \(error.message)\n\(error.resolution)")
      throw ProctorExit(EngineError(audit: error)).code
    }
  }

  struct ListCalls: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "The newest calls first.")

    @Option(name: [.short, .long], help: ArgumentHelp("The newest so many.", valueName: "n"))
    var limit = 50

    @Option(help: "Only calls through this door: command_line, mcp or http.")
    var door: AuditDoorKind?

    @Option(help: ArgumentHelp("Only calls of it, such as run_test.", valueName: "name"))
    var operation: String?

    @Option(
      help: ArgumentHelp(
        "Only calls that ended so, such as failed or error; or lost, or running.",
        valueName: "word"))
    var status: String?

    @Option(
      help: ArgumentHelp(
        "Only calls since then: 2h, 7d, 2026-11-22, 2026-11-22T10:00:00Z.", valueName: "time"))
    var since: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("Only calls in it.", valueName: "dir"))
    var workspace: String?

    @Option(help: ArgumentHelp("Only calls before this one: to go on.", valueName: "id"))
    var before: Int64?

    @Option(help: "json (documented by a schema) or text.")
    var format = Format.text

    func validate() throws { _ = try filter() }

    private func filter() throws -> AuditFilter {
      guard AuditFilter.limits.contains(limit) else {
        let range = AuditFilter.limits
        throw ValidationError(
          "--limit takes a number from \(range.lowerBound) to \(range.upperBound).")
      }
      var filter = AuditFilter()
      filter.limit = limit
      filter.door = door
      filter.operation = operation
      filter.status = status
      filter.workspace = workspace.map(CommandCall.absolute)
      filter.before = before
      if let since, !filter.setSince(since) {
        throw ValidationError(
          "--since takes 90m, 2h, 7d, a day or a time such as 2026-11-22T10:00:00Z.")
      }
      return filter
    }

    func run() throws {
      let (reader, filter) = (try Audit.reader(), try filter())
      let list = try Audit.reading { () throws(AuditError) in try reader.calls(filter) }
      Console.write(format == .json ? list.json : Data(list.text.utf8))
    }
  }

  struct ShowCall: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "All that is recorded of one call.")

    @Argument(help: "Its number, as the list has it.")
    var id: Int64

    @Option(help: "json (documented by a schema) or text.")
    var format = Format.text

    func run() throws {
      let (reader, id) = (try Audit.reader(), id)
      guard let call = try Audit.reading({ () throws(AuditError) in try reader.call(id) }) else {
        Console.error("proctor: there is no call \(id) in the audit trail")
        Console.error("proctor audit lists them; old ones are pruned.")
        throw ProctorExit.usage.code
      }
      Console.write(format == .json ? call.json + Data("\n".utf8) : Data(call.text.utf8))
    }
  }

  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify",
      abstract: "Go through the whole chain; say the first entry that is wrong.")

    @Option(help: "json (documented by a schema) or text.")
    var format = Format.text

    func run() throws {
      let reader = try Audit.reader()
      let found = try Audit.reading { () throws(AuditError) in try reader.verify() }
      Console.write(format == .json ? found.json : Data(found.text.utf8))
      if found.status == .broken { throw ProctorExit.testFailed.code }
    }
  }
}
