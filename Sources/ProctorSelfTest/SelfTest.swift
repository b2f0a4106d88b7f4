import FoundationEssentials
import Glibc
public import ProctorModel
public import ProctorSandbox
import Synchronization

/// Attacks the sandbox of this host, each attack once without it and once inside.
public struct SelfTest: Sendable {
  private let program: String
  private let folder: String
  private let backend: SandboxPolicy.Backend
  private let container: SandboxPolicy.Container?

  /// - Parameters:
  ///   - program: this executable, which must call `Probe.runIfAsked` first of all.
  ///   - folder: an existing private folder on the cache file system.
  public init(
    program: String, folder: String, backend: SandboxPolicy.Backend,
    container: SandboxPolicy.Container? = nil
  ) {
    self.program = program
    self.folder = folder
    self.backend = backend
    self.container = container
  }

  /// - Parameter progress: called with each attack as it is done.
  /// - Throws: `SandboxError` when no sandbox can be made at all.
  public func run(
    _ progress: @Sendable (SelfTestAnswer.Attack) -> Void
  ) async throws(SandboxError) -> SelfTestAnswer {
    let range: Range
    do {
      range = try Range(folder: folder)
    } catch {
      throw SandboxError(
        .storage, "the self-test cannot be prepared: \(error)",
        resolution: "Free some space or name another cache folder with PROCTOR_CACHE_DIR.")
    }
    // A sandbox must be possible at all: its errors here are the host's, not an attack's.
    let first = try await sandboxed(Attack.all[0], range)
    var done: [SelfTestAnswer.Attack] = []
    for attack in Attack.all where !Task.isCancelled {
      let result = try await judge(attack, range)
      // What was interrupted says nothing.
      if Task.isCancelled { break }
      progress(result)
      done.append(result)
    }
    return SelfTestAnswer(
      backend: first.receipt.backend, layers: first.receipt.layers, attacks: done,
      complete: done.count == Attack.all.count && !Task.isCancelled)
  }

  private func judge(
    _ attack: Attack, _ range: Range
  ) async throws(SandboxError) -> SelfTestAnswer.Attack {
    let tried = SelfTestAnswer.Tried(name: attack.name, category: attack.category)
    let control = try control(attack, range)
    range.restore()
    guard control else {
      return tried.ended(
        .notApplicable, control: false, "does not succeed here without a sandbox either")
    }
    do {
      let seen = try await sandboxed(attack, range)
      // Who was killed with the sandbox may take a moment to be gone.
      for _ in 0..<50 where !range.survivors.isEmpty { usleep(10_000) }
      let succeeded = succeeded(attack, range, seen.isSuccess, seen.durationMS)
      range.survivors.forEach { kill($0, SIGKILL) }
      range.restore()
      guard seen.begun else {
        return tried.ended(.gotThrough, control: true, "the attacker did not start: \(seen.words)")
      }
      return tried.ended(succeeded ? .gotThrough : .blocked, control: true, seen.reason)
    } catch {
      guard error.code == .limitUnavailable else { throw error }
      return tried.ended(.notApplicable, control: true, "refused: \(error.message)")
    }
  }

  private func succeeded(
    _ attack: Attack, _ range: Range, _ isSuccess: Bool, _ durationMS: Double
  ) -> Bool {
    switch attack.sign {
    case .itself: isSuccess
    case .appeared(let name): FileManager.default.fileExists(atPath: "\(range.folder)/\(name)")
    case .changed: range.isWorkspaceChanged
    case .survivor: isSuccess && !range.survivors.isEmpty
    case .delay(let limit): durationMS > limit
    }
  }

  // MARK: without

  private func control(_ attack: Attack, _ range: Range) throws(SandboxError) -> Bool {
    let begin = ContinuousClock().now
    do {
      var ends: [Int32] = [-1, -1]
      guard pipe(&ends) == 0 else { throw Range.Failure(message: "no pipe") }
      defer { close(ends[0]) }
      _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
      let arguments = range.arguments(program, attack, area: "\(range.folder)/area")
      let pid = try Range.start(arguments, output: ends[1])
      close(ends[1])
      // Who holds the output keeps the reader waiting, as in a shell's `$(...)`.
      var buffer = [UInt8](repeating: 0, count: 65536)
      if case .survivor = attack.sign {
      } else {
        while read(ends[0], &buffer, buffer.count) > 0 {}
      }
      var status: Int32 = 0
      waitpid(pid, &status, 0)
      let passed = ContinuousClock().now - begin
      let result = succeeded(attack, range, status == 0, passed / .milliseconds(1))
      range.survivors.forEach { kill($0, SIGKILL) }
      return result
    } catch {
      throw SandboxError(
        .cannotStart, "the self-test cannot start its own attacks: \(error)",
        resolution: "Report this as a bug of proctor.")
    }
  }

  // MARK: inside

  private struct Seen {
    let isSuccess: Bool
    let begun: Bool
    let durationMS: Double
    let words: String
    let reason: String?
    let receipt: SandboxReceipt
  }

  private func sandboxed(_ attack: Attack, _ range: Range) async throws(SandboxError) -> Seen {
    let output = Mutex(Data())
    let result = try await Sandbox().run(
      SandboxCommand(
        argv: range.arguments(program, attack, area: "/tmp"),
        // The loader knows libraries by links that are not there inside.
        environment: ["PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": ProgramFiles.folders],
        directory: range.workspace),
      policy: SandboxPolicy(
        backend: backend, workspace: range.workspace, access: .protected, network: .none,
        mounts: ProgramFiles.mapped.map { .readOnly($0) }, limits: attack.limits,
        required: attack.limit.map { [$0] } ?? [], home: "/tmp/home",
        scratch: "\(range.folder)/scratch", container: container)
    ) { event in
      switch event {
      case .stdout(let bytes), .stderr(let bytes):
        output.withLock { if $0.count < 1 << 16 { $0.append(bytes) } }
      case .channel, .stopping, .usage: break
      }
    }
    let text = String(decoding: output.withLock { $0 }, as: UTF8.self)
    return Seen(
      isSuccess: result.ending == .exited && result.status.isSuccess,
      begun: text.contains(Probe.greeting), durationMS: result.durationMS,
      words: String(text.prefix(200)), reason: Self.reason(result), receipt: result.receipt)
  }

  /// What stopped it, as far as the supervisor knows.
  private static func reason(_ result: SandboxResult) -> String? {
    if let limit = result.receipt.reached.first {
      return "\(limit.limit.rawValue): \(limit.evidence)"
    }
    if let denied = result.receipt.denied.first { return "\(denied.target): \(denied.rule)" }
    switch result.ending {
    case .wallTime: return "killed at its time limit"
    case .exited: return result.status.isSuccess ? nil : result.status.text
    default: return "\(result.ending)"
    }
  }
}

/// The files that this process runs from.
enum ProgramFiles {
  /// The program and its libraries, without those of the system.
  static let mapped: [String] = {
    // The kernel gives such files page by page.
    let maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC)
    defer { close(maps) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = read(maps, &buffer, buffer.count)
      guard count > 0 else { break }
      text += buffer[..<count]
    }
    let paths = String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { line in
      line.firstIndex(of: "/").map { String(line[$0...]) }
    }
    return Set(paths).filter { !$0.hasPrefix("/usr/") && !$0.hasSuffix(" (deleted)") }.sorted()
  }()

  static var folders: String {
    Set(mapped.compactMap { path in path.lastIndex(of: "/").map { String(path[..<$0]) } }).sorted()
      .joined(separator: ":")
  }
}
