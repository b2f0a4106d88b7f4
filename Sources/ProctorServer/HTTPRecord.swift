import FoundationEssentials
import HTTPTypes
import ProctorAudit
import ProctorEngine
import ProctorModel

/// Puts on record what clients decide over HTTP without calling an operation: answers to questions, and stopping runs.
struct HTTPRecord: Sendable {
  let trail: AuditTrail
  let workspaces: [ServedWorkspace]

  /// Does it, on record.
  /// - Parameters:
  ///   - name: what it is called in lists, as an operation is.
  ///   - workspace: by its name in the service; nil for what belongs to none.
  /// - Throws: `HTTPProblem` where it cannot be recorded and must be; else what `body` throws.
  func keep<Result>(
    _ name: String, of call: HTTPCall, in workspace: String?, _ arguments: AuditArguments,
    _ body: () async throws -> Result
  ) async throws -> Result {
    let workspace = workspaces.first { $0.name == workspace }
    let recorded: AuditedCall
    do {
      recorded = try AuditDoor(.http, caller: call.caller, trail: trail).begin(
        AuditCall(
          name, workspace: workspace?.root, arguments: arguments.data,
          policy: AuditPolicy(isolation: nil, timeoutSeconds: nil))
      ) { workspace?.options.floor?.audit.isRequired ?? false }
    } catch {
      throw HTTPProblem(
        .serviceUnavailable, "it cannot be recorded: \(error.message)",
        resolution: error.resolution)
    }
    do {
      let result = try await body()
      recorded.end(AuditOutcome(answer: nil, status: "success"))
      return result
    } catch {
      recorded.end(AuditOutcome(answer: nil, status: "error"))
      throw error
    }
  }
}
