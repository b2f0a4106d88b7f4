public import FoundationEssentials
import ProctorModel

/// How a call ended, as its answer by the contract says: the verdict, what was in force, what was used.
public struct AuditOutcome: Sendable, Codable {
  struct Verdict: Sendable, Hashable, Codable {
    /// The answer's own word.
    var status: String
    var reason: String?
    var message: String?
    var total: Int?
    var passed: Int?
    var failed: Int?
    var skipped: Int?
    var risk_score: Int?
  }

  /// What stood around what ran, from the sandbox's receipt.
  struct Sandbox: Sendable, Hashable, Codable {
    let backend: String
    let layers: [String]
    let workspace: String
    let network: String
    let limits: ResourceLimits
    let limits_by: String?
    /// What was asked for and this machine does not have.
    let missing: [String]
    /// How many things were denied.
    let denied: Int
    let reached: [String]
  }

  struct Resources: Sendable, Hashable, Codable {
    /// Of what was run, without waiting for anybody.
    var execution_ms: Double?
    var cpu_ms: Double?
    var peak_memory_mb: Double?
  }

  var verdict: Verdict
  let sandbox: Sandbox?
  let resources: Resources

  /// Reads an answer by any schema of the contract; what it does not say is absent.
  /// - Parameters:
  ///   - answer: JSON.
  ///   - status: for answers without one.
  public init(answer: Data?, status: String) {
    let fields = Fields(answer.flatMap { try? JSONText($0) })
    var verdict = Verdict(status: fields["status"] ?? status)
    verdict.reason = fields["error_type"] ?? fields["reason"]
    verdict.message = fields["message"] ?? fields["error"]
    verdict.total = fields["total_tests"] ?? fields["tests_run"]
    verdict.passed = fields["passed"] ?? fields["tests_passed"]
    verdict.failed = fields["failed"] ?? fields["tests_failed"]
    verdict.skipped = fields["skipped"] ?? fields["tests_skipped"]
    verdict.risk_score = fields["risk_score"]
    self.verdict = verdict
    let receipt: SandboxReceipt? = fields["sandbox"]
    sandbox = receipt.map(Sandbox.init)
    let commands = (fields["adapters"] as [Adapter]?)?.flatMap { $0.commands ?? [] } ?? []
    let times = commands.compactMap(\.cpu_ms)
    resources = Resources(
      execution_ms: fields["execution_time_ms"],
      cpu_ms: times.isEmpty ? nil : times.reduce(0, +),
      peak_memory_mb: fields["peak_memory_mb"] ?? commands.compactMap(\.peak_memory_mb).max())
  }

  private struct Adapter: Decodable {
    struct Command: Decodable {
      let cpu_ms: Double?
      let peak_memory_mb: Double?
    }
    let commands: [Command]?
  }

  /// Members, each by itself: one that is not understood does not take the others along.
  private struct Fields {
    let text: JSONText?

    init(_ text: JSONText?) { self.text = text }

    subscript<Value: Decodable>(_ name: String) -> Value? {
      text?.member(name).flatMap { try? JSONDecoder().decode(Value.self, from: $0) }
    }
  }

  /// The same without secrets.
  func masked(by record: MaskedJSON) -> AuditOutcome {
    var result = self
    result.verdict.message = verdict.message.map { record.text($0, keeping: 500) }
    return result
  }
}

extension AuditOutcome.Sandbox {
  init(_ receipt: SandboxReceipt) {
    self.init(
      backend: receipt.backend, layers: receipt.layers, workspace: receipt.workspace,
      network: receipt.network, limits: receipt.limits, limits_by: receipt.limitsBy,
      missing: receipt.missing, denied: receipt.denied.count + receipt.deniedOmitted,
      reached: receipt.reached.map { $0.limit.rawValue })
  }
}
