import Glibc
import ProctorModel
import ProctorSandbox
import Synchronization

/// Sandboxes that were started ahead of the calls they are for.
///
/// Each is a whole sandbox under the call's own policy, whose program is ready and waits for its request. It takes
/// one and is gone: nothing of a call's reaches another one's.
public final class WarmCalls: Sendable {
  /// Sandboxes of one kind, for calls that come close together.
  private static let mostOfAKind = 2
  /// Sandboxes in all.
  private static let most = 8
  /// How long there is no second attempt at what ended before it was asked anything.
  private static let pause = Duration.seconds(60)

  private struct State {
    /// The one that was wanted longest ago first.
    var waiting: [(key: WarmKey, call: WaitingCall)] = []
    var failed: [WarmKey: ContinuousClock.Instant] = [:]
    var isClosed = false
  }

  private let state = Mutex(State())

  public init() {}

  /// Where helpers that keep calls warm are met; nobody else can reach into it.
  public static func meetingFolder(_ environment: [String: String]) throws(EngineError) -> String {
    let folder = "\(try CacheFolder(environment: environment).root)/warm"
    try FileSystem.makeFolder(folder)
    chmod(folder, 0o700)
    return folder
  }

  /// Ends them all and waits until nothing is left of them; no more are started.
  public func close() async {
    let calls = state.withLock { state in
      state.isClosed = true
      defer { state.waiting = [] }
      return state.waiting.map(\.call)
    }
    calls.forEach { $0.cancel() }
    for call in calls { await call.ended() }
  }

  func take(_ key: WarmKey) -> WaitingCall? {
    state.withLock { state in
      guard let index = state.waiting.firstIndex(where: { $0.key == key }) else { return nil }
      return state.waiting.remove(at: index).call
    }
  }

  /// Sees to it that sandboxes wait for calls like this one.
  func prepare(
    _ key: WarmKey, _ invocation: Invocation, _ runner: InvocationRunner, _ cache: CacheFolder
  ) {
    let (missing, surplus) = state.withLock { state -> (Int, [WaitingCall]) in
      let now = ContinuousClock.now
      state.failed = state.failed.filter { $0.value > now }
      guard !state.isClosed, state.failed[key] == nil else { return (0, []) }
      let own = state.waiting.filter { $0.key == key }
      let others = state.waiting.filter { $0.key != key }
      let missing = max(0, Self.mostOfAKind - own.count)
      let surplus = others.prefix(max(0, state.waiting.count + missing - Self.most))
      state.waiting = others.dropFirst(surplus.count) + own
      return (missing, surplus.map(\.call))
    }
    surplus.forEach { $0.cancel() }
    for _ in 0..<missing {
      // Whoever cannot be started ahead is started for its call, and says then what is wrong.
      guard let call = try? WaitingCall(invocation, runner, cache) else { return }
      let isKept = state.withLock { state in
        if !state.isClosed { state.waiting.append((key, call)) }
        return !state.isClosed
      }
      guard isKept else { return call.cancel() }
      Task { [weak self] in
        await call.ended()
        self?.drop(call)
      }
    }
  }

  /// It ended before anybody wanted it.
  private func drop(_ call: WaitingCall) {
    state.withLock { state in
      guard let index = state.waiting.firstIndex(where: { $0.call === call }) else { return }
      state.failed[state.waiting.remove(at: index).key] = .now + Self.pause
    }
  }
}

/// What calls must have in common for one sandbox to serve either of them: all but the request.
struct WarmKey: Hashable, Sendable {
  private let argv: [String]
  private let environment: [String: String]
  private let directory: String
  private let policy: SandboxPolicy
  /// The files and folders by which the sandbox was built, as they are now.
  private let places: [String]

  /// nil for what cannot be started ahead: with a copy-on-write view of folders, changes would not be seen.
  init?(_ invocation: Invocation, _ runner: InvocationRunner) {
    guard let ahead = invocation.ahead, Set(invocation.files.keys) == [ahead.request] else {
      return nil
    }
    let place = InvocationRunner.Place(folder: "", channel: "")
    var policy = runner.policy(invocation, place)
    let isDirect = policy.mounts.allSatisfy { mount in
      if case .readOnly = mount { true } else { false }
    }
    guard isDirect, policy.access == .readOnly,
      [.automatic, .namespaces, .bubblewrap].contains(policy.backend)
    else { return nil }
    policy.scratch = ""
    policy.limits.wallSeconds = nil
    self.policy = policy
    argv = invocation.argv
    environment = runner.environment(of: invocation)
    directory = invocation.directory
    let mounted = policy.mounts.compactMap { mount in
      if case .readOnly(let path) = mount { path } else { nil }
    }
    let programs = invocation.argv.filter { $0.hasPrefix("/") }
    places = ([policy.source, policy.workspace, directory] + mounted + programs).map(Self.identity)
  }

  /// Another folder of the same name is another one; a program is another one when its contents changed.
  private static func identity(_ path: String) -> String {
    var status = stat()
    guard stat(path, &status) == 0 else { return "\(path) absent" }
    let identity = "\(path) \(status.st_dev) \(status.st_ino)"
    guard status.st_mode & S_IFMT == S_IFREG else { return identity }
    return "\(identity) \(status.st_size) \(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
  }
}
