public import FoundationEssentials
import ProctorFormats
import ProctorModel

/// One call as it is shown.
public struct AuditCallAnswer: Sendable {
  private struct Shape: Encodable {
    struct Resources: Encodable {
      let wall_ms: Double
      let execution_ms: Double?
      let cpu_ms: Double?
      let peak_memory_mb: Double?
    }

    let id: Int64
    let status: String
    let door: String?
    let operation: String?
    let caller: String?
    let workspace: String?
    let reason: String?
    let pid: Int?
    let asked: AuditPolicy?
    let confirmation: AuditConfirmation?
    let verdict: AuditOutcome.Verdict?
    let exit_code: Int?
    let sandbox: AuditOutcome.Sandbox?
    let resources: Resources?
    let begun_at: String
    let ended_at: String?
    /// When it was noticed that the process is gone.
    let lost_at: String?
  }

  private let call: RecordedCall
  public var id: Int64 { call.begun.number }

  init(_ call: RecordedCall) { self.call = call }

  private var isLost: Bool { call.end?.kind == AuditEntry.Kind.lost.rawValue }

  /// By `audit.schema.json`, on one line.
  public var json: Data {
    let (beginning, ending) = (call.beginning, call.ending)
    let shape = Shape(
      id: id, status: call.status, door: call.begun.door, operation: call.begun.operation,
      caller: beginning?.caller, workspace: call.begun.workspace, reason: beginning?.reason,
      pid: beginning?.pid, asked: beginning?.asked, confirmation: ending?.confirmation,
      verdict: ending?.verdict, exit_code: ending?.exit_code, sandbox: ending?.sandbox,
      resources: ending.map {
        Shape.Resources(
          wall_ms: $0.wall_ms, execution_ms: $0.resources.execution_ms,
          cpu_ms: $0.resources.cpu_ms, peak_memory_mb: $0.resources.peak_memory_mb)
      },
      begun_at: call.begun.at, ended_at: isLost ? nil : call.end?.at,
      lost_at: isLost ? call.end?.at : nil)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let data = (try? encoder.encode(shape)) ?? Data("{}".utf8)
    // As it was stored: numbers of any size stay what they are.
    guard let arguments = call.begun.arguments, (try? JSONText(Data(arguments.utf8))) != nil else {
      return data
    }
    return Data(#"{"arguments":\#(arguments),"#.utf8) + data.dropFirst()
  }

  /// Its line in a list.
  var cells: [String] {
    let wall = call.ending.map { Self.duration($0.wall_ms) } ?? ""
    return [
      "\(id)", String(call.begun.at.prefix(19)) + "Z", call.begun.door ?? "",
      call.beginning?.caller ?? "", call.begun.operation ?? "", call.status, wall,
      call.begun.workspace ?? "",
    ].map(TextSummary.oneLine)
  }

  /// All of it, for people.
  public var text: String {
    let (beginning, ending) = (call.beginning, call.ending)
    let verdict = ending?.verdict
    let counts = [
      ("passed", verdict?.passed), ("failed", verdict?.failed), ("skipped", verdict?.skipped),
    ].compactMap { name, count in count.map { "\($0) \(name)" } }
    let rows: [(String, String?)] = [
      ("call", "\(id) \(call.begun.operation ?? "")"),
      ("status", [call.status, verdict?.reason].compactMap(\.self).joined(separator: ", ")),
      ("message", verdict?.message),
      ("tests", counts.isEmpty ? nil : counts.joined(separator: ", ")),
      ("exit code", ending?.exit_code.map { "\($0)" }),
      ("door", call.begun.door), ("caller", beginning?.caller),
      ("process", beginning.map { "\($0.pid)" }), ("workspace", call.begun.workspace),
      ("reason", beginning?.reason), ("arguments", call.begun.arguments),
      ("isolation", beginning?.asked.isolation.map { "\($0) was asked for" }),
      ("confirmation", ending?.confirmation.map(Self.words)),
      ("sandbox", ending?.sandbox.map(Self.words)),
      ("took", ending.map { Self.duration($0.wall_ms) }),
      ("processor", ending?.resources.cpu_ms.map(Self.duration)),
      ("memory", ending?.resources.peak_memory_mb.map { "\($0) MB" }),
      ("begun", call.begun.at), (isLost ? "found lost" : "ended", call.end?.at),
    ]
    return rows.compactMap { name, value in
      value.map { value in
        name + String(repeating: " ", count: 14 - name.count) + TextSummary.oneLine(value) + "\n"
      }
    }.joined()
  }

  private static func words(_ confirmation: AuditConfirmation) -> String {
    [confirmation.answer.rawValue, confirmation.question, confirmation.why]
      .compactMap(\.self).joined(separator: ": ")
  }

  private static func words(_ sandbox: AuditOutcome.Sandbox) -> String {
    let surplus =
      sandbox.missing.isEmpty ? "" : "; missing: \(sandbox.missing.joined(separator: ", "))"
    return
      "\(sandbox.backend), workspace \(sandbox.workspace), network \(sandbox.network), \(sandbox.denied) denied\(surplus)"
  }

  private static func duration(_ milliseconds: Double) -> String {
    milliseconds < 1000
      ? "\((milliseconds * 10).rounded() / 10) ms"
      : "\((milliseconds / 100).rounded() / 10) s"
  }
}
