import Foundation
import ProctorAudit

/// What it costs to have a call on record, in milliseconds of processor time, which other work on the machine does not
/// change: of a process that makes one call, as commands are, and of a session that goes on.
///
/// Usage: audit-cost [ROUNDS]
@main struct AuditCost {
  static let arguments = Data(
    #"{"path": "src/primes.py", "function_name": "first_primes", "args": [400]}"#.utf8)
  static let answer = Data(
    #"{"status": "success", "result": 2, "execution_time_ms": 0.018, "peak_memory_mb": 3.98}"#.utf8)

  static func main() throws {
    let words = CommandLine.arguments
    if words.count == 3, words[1] == "once" {
      let (begin, end) = try call(trail(words[2]))
      return print(begin, end)
    }
    let rounds = words.dropFirst().first.flatMap { Int($0) } ?? 300
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "proctor-audit-cost-\(getpid())").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let single = try (0..<rounds).map { _ in try once(words[0], folder) }
    let session = trail(folder)
    let many = try (0..<rounds).map { _ in try call(session) }
    print("                     50th    95th    99th")
    show("a command: begin", single.map(\.0))
    show("a command: end", single.map(\.1))
    show("a session: begin", many.map(\.0))
    show("a session: end", many.map(\.1))
  }

  private static func trail(_ folder: String) -> AuditTrail {
    AuditTrail(
      folder: folder, settings: AuditSettings(),
      environment: ProcessInfo.processInfo.environment,
      say: { FileHandle.standardError.write(Data("\($0)\n".utf8)) })
  }

  private static func call(_ trail: AuditTrail) throws -> (Double, Double) {
    let start = processorTime
    let call = try AuditDoor(.commandLine, caller: "user, uid 0", trail: trail).begin(
      AuditCall(
        "execute_function", workspace: "/tmp", arguments: arguments, reason: "to see",
        policy: AuditPolicy(isolation: nil, timeoutSeconds: nil))
    ) { true }
    let begun = processorTime
    call.end(AuditOutcome(answer: answer, status: "error"), exitCode: 0)
    return (begun - start, processorTime - begun)
  }

  /// Of this thread, on which all of it happens.
  private static var processorTime: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1e6
  }

  private static func once(_ program: String, _ folder: String) throws -> (Double, Double) {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = ["once", folder]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let words = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      .split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    process.waitUntilExit()
    return words.count == 2 ? (words[0], words[1]) : (.nan, .nan)
  }

  private static func show(_ name: String, _ times: [Double]) {
    let sorted = times.sorted()
    let cells = [0.5, 0.95, 0.99].map { part in
      String(format: "%8.2f", sorted[min(sorted.count - 1, Int(part * Double(sorted.count)))])
    }
    print(name.padding(toLength: 17, withPad: " ", startingAt: 0) + cells.joined())
  }
}
