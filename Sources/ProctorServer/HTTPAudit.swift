import Hummingbird
import ProctorAudit
import ProctorEngine
import ProctorModel

/// The audit trail of the served workspaces.
struct HTTPAudit: Sendable {
  static let parameters = [
    Parameter("limit", .integer(AuditFilter.limits), "The newest so many. Default: 50."),
    Parameter(
      "door", .choice(AuditDoorKind.allCases.map(\.rawValue)), "Only calls through this door."),
    Parameter("operation", .string, "Only calls of it, such as run_test."),
    Parameter("status", .string, "Only calls that ended so, such as failed, lost or running."),
    Parameter("since", .string, "Only calls since then: 2h, 7d, 2026-11-22, 2026-11-22T10:00:00Z."),
    Parameter(
      "before", .integer(1...Int(Int32.max)), "Only calls before this one: next_before of a list."),
  ]

  let workspaces: HTTPWorkspaces

  var endpoints: [HTTPEndpoint] {
    [
      HTTPEndpoint(.get("audit"), "audit", for: .caller, OpenAPI.audit) { call in
        let workspace = try workspaces.workspace(of: call)
        let fields = try HTTPQuery(call).fields(for: Self.parameters)
        let arguments: Arguments
        do throws(EngineError) {
          arguments = try Arguments(fields, for: Self.parameters)
        } catch {
          throw HTTPProblem(error, isMalformed: true, retryAfter: 1)
        }
        do throws(EngineError) {
          let folder = try UserSettings.auditFolder(workspace.options.environment)
          let filter = try Self.filter(arguments, of: workspace.root)
          return .json(try Self.list(AuditReader(folder: folder), filter).json)
        } catch {
          throw HTTPProblem(error, isMalformed: false, retryAfter: 1)
        }
      }
    ]
  }

  private static func list(
    _ reader: AuditReader, _ filter: AuditFilter
  ) throws(EngineError) -> AuditList {
    do {
      return try reader.calls(filter)
    } catch {
      throw EngineError(audit: error)
    }
  }

  private static func filter(
    _ arguments: Arguments, of workspace: String
  ) throws(EngineError) -> AuditFilter {
    var filter = AuditFilter()
    filter.workspace = workspace
    filter.limit = arguments.integer("limit") ?? filter.limit
    filter.door = arguments.string("door").flatMap(AuditDoorKind.init)
    filter.operation = arguments.string("operation")
    filter.status = arguments.string("status")
    filter.before = arguments.integer("before").map(Int64.init)
    if let since = arguments.string("since"), !filter.setSince(since) {
      throw EngineError(
        .usage, "since is no time", resolution: "Give 90m, 2h, 7d, a day or 2026-11-22T10:00:00Z.")
    }
    return filter
  }
}
