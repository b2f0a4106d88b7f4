import FoundationEssentials
import Glibc
import ProctorAudit
import ProctorEngine
import ProctorServer
import Synchronization

/// A command as the audit trail keeps it.
struct CommandCall: Sendable {
  /// The contract's name.
  let operation: String
  /// Of the user; nil when there is none.
  let workspace: String?
  let reason: String?
  var arguments = AuditArguments()
  let options: EngineOptions

  /// - Parameter workspace: as the user names it; nil for a command without one.
  init(
    _ operation: String, in workspace: String?, reason: String?, yes: Bool,
    _ options: EngineOptions
  ) {
    self.operation = operation
    self.workspace = workspace.map(Self.absolute)
    self.reason = reason
    self.options = options
    arguments.add("yes", flag: yes)
  }

  init(
    _ operation: String, in workspace: String?, _ common: CommonOptions,
    _ options: EngineOptions? = nil
  ) {
    self.init(
      operation, in: workspace, reason: common.reason, yes: common.yes,
      options ?? EngineOptions(jobs: 1, environment: ProcessInfo.processInfo.environment))
  }

  /// Stays open to the end of the process: whoever closes the file last has it written back and waits for the disk.
  private static let trail = Mutex<AuditTrail?>(nil)

  /// Records that it begins.
  /// - Throws: `EngineError` when it cannot be recorded, and that is required.
  func begin() throws(EngineError) -> AuditedCall {
    let trail = try AuditTrail.of(options.environment) { Console.error("proctor: \($0)") }
    Self.trail.withLock { $0 = trail }
    let call = AuditCall(
      operation, workspace: workspace, arguments: arguments.data, reason: reason,
      policy: AuditPolicy(
        isolation: options.isolation?.rawValue, timeoutSeconds: options.timeoutSeconds))
    do {
      return try AuditDoor(.commandLine, caller: Self.user, trail: trail).begin(call) {
        isRequiredByWorkspace
      }
    } catch {
      throw EngineError(audit: error)
    }
  }

  private var isRequiredByWorkspace: Bool {
    guard let workspace, let engine = try? Engine(workspace: workspace, options: options) else {
      return false
    }
    return engine.configuration.audit.isRequired
  }

  /// The user's number, and the name that this machine's own list has for it.
  private static var user: String {
    let number = getuid()
    let name = FileManager.default.contents(atPath: "/etc/passwd").flatMap { list in
      String(decoding: list, as: UTF8.self).split(separator: "\n").lazy
        .map { $0.split(separator: ":", omittingEmptySubsequences: false) }
        .first { $0.count > 2 && $0[2] == "\(number)" }?.first
    }
    return [name.map(String.init), "uid \(number)"].compactMap(\.self).joined(separator: ", ")
  }

  static func absolute(_ path: String) -> String {
    if let real = realpath(path, nil) {
      defer { free(real) }
      return String(cString: real)
    }
    return path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
  }
}
