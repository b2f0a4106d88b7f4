import Glibc
import ProctorAdapters
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

  /// The answer goes out before the next one is started.
  private static let delay = Duration.milliseconds(4)

  private struct State {
    /// The one that was wanted longest ago first.
    var waiting: [(key: WarmKey, call: WaitingCall)] = []
    /// How many of each are being started.
    var starting: [WarmKey: Int] = [:]
    var failed: [WarmKey: ContinuousClock.Instant] = [:]
    /// What goes on in the background.
    var busy = 0
    /// Where their files are, below each cache folder.
    var folders: [String: Scratch] = [:]
    var isClosed = false
  }

  /// Removed when nobody holds it any more.
  private final class Scratch: Sendable {
    let folder: RunFolder
    init(_ cache: CacheFolder) throws(EngineError) { folder = try RunFolder(in: cache) }
  }

  private let state = Mutex(State())

  public init() {}

  /// A folder for one call; making and sweeping the folders of whole runs would cost each call something.
  func runFolder(in cache: CacheFolder) throws(EngineError) -> RunFolder {
    let scratch = try state.withLock { state throws(EngineError) in
      if let known = state.folders[cache.root], FileSystem.isFolder(known.folder.path) {
        return known
      }
      let made = try Scratch(cache)
      state.folders[cache.root] = made
      return made
    }
    return RunFolder(below: scratch.folder.path)
  }

  /// Where helpers that keep calls warm are met; nobody else can reach into it.
  public static func meetingFolder(_ environment: [String: String]) throws(EngineError) -> String {
    let folder = "\(try CacheFolder(environment: environment).root)/warm"
    try FileSystem.makeFolder(folder)
    chmod(folder, 0o700)
    return folder
  }

  /// Ends them all and waits until nothing is left of them; no more are started.
  public func close() async {
    state.withLock { state in
      state.isClosed = true
      state.waiting.forEach { $0.call.cancel() }
      state.waiting = []
    }
    while state.withLock({ $0.busy > 0 }) { try? await Task.sleep(for: .milliseconds(2)) }
    state.withLock { $0.folders = [:] }
  }

  func take(_ key: WarmKey) -> WaitingCall? {
    state.withLock { state in
      guard let index = state.waiting.firstIndex(where: { $0.key == key }) else { return nil }
      return state.waiting.remove(at: index).call
    }
  }

  /// Sees to it that sandboxes wait for calls like this one, first for those most like it.
  func prepare(
    _ keys: [WarmKey], _ invocation: Invocation, _ runner: InvocationRunner, _ cache: CacheFolder
  ) {
    inBackground {
      try? await Task.sleep(for: Self.delay)
      for key in keys {
        while self.reserve(key) {
          // Whoever cannot be started ahead is started for its call, and says then what is wrong.
          let call = try? WaitingCall(invocation, key.ahead, runner, self.runFolder(in: cache))
          let isKept = self.state.withLock { state in
            state.starting[key, default: 1] -= 1
            guard let call, !state.isClosed else { return false }
            state.waiting.append((key, call))
            return true
          }
          guard let call else { return }
          if !isKept { call.cancel() }
          self.inBackground {
            await call.ended()
            self.drop(call)
          }
        }
      }
    }
  }

  /// Whether one more is to be started; the one that was wanted longest ago makes room for it.
  private func reserve(_ key: WarmKey) -> Bool {
    state.withLock { state in
      let now = ContinuousClock.now
      state.failed = state.failed.filter { $0.value > now }
      state.starting = state.starting.filter { $0.value > 0 }
      let own = state.waiting.count { $0.key == key } + state.starting[key, default: 0]
      guard !state.isClosed, state.failed[key] == nil, own < Self.mostOfAKind else { return false }
      if state.waiting.count + state.starting.values.reduce(0, +) >= Self.most {
        guard let oldest = state.waiting.firstIndex(where: { $0.key != key }) else { return false }
        state.waiting.remove(at: oldest).call.cancel()
      }
      state.starting[key, default: 0] += 1
      return true
    }
  }

  private func inBackground(_ body: @escaping @Sendable () async -> Void) {
    state.withLock { $0.busy += 1 }
    Task {
      await body()
      state.withLock { $0.busy -= 1 }
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
  /// What it is told of the calls that it will get.
  private(set) var ahead: [String: String]
  private let directory: String
  private let policy: SandboxPolicy
  /// The files and folders by which the sandbox was built, as they are now.
  private let places: [String]

  /// Those of the sandboxes that may serve such a call, the best first.
  static func all(_ invocation: Invocation, _ runner: InvocationRunner) -> [WarmKey] {
    guard let key = WarmKey(invocation, runner) else { return [] }
    guard let unspecific = invocation.ahead?.unspecific else { return [key] }
    var second = key
    second.ahead = unspecific
    return [key, second]
  }

  /// nil for what cannot be started ahead: with a copy-on-write view of folders, changes would not be seen.
  private init?(_ invocation: Invocation, _ runner: InvocationRunner) {
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
    let environment = runner.environment(of: invocation)
    // What these have a program load, nobody looks at again.
    guard !Self.preloads.contains(where: { environment[$0]?.isEmpty == false }) else { return nil }
    policy.scratch = ""
    policy.limits.wallSeconds = nil
    self.policy = policy
    argv = invocation.argv
    self.environment = environment
    self.ahead = ahead.environment
    directory = invocation.directory
    let mounted = policy.mounts.compactMap { mount in
      if case .readOnly(let path) = mount { path } else { nil }
    }
    let programs = invocation.argv.filter { $0.hasPrefix("/") }
    places = ([policy.source, policy.workspace, directory] + mounted + programs + Self.system)
      .map { WorkspaceStamp.identity(of: $0) }
  }

  private static let preloads = ["NODE_OPTIONS", "LD_PRELOAD"]
  /// Of these a sandbox has copies.
  private static let system = [
    "localtime", "ld.so.cache", "ld.so.preload", "resolv.conf", "hosts", "nsswitch.conf", "passwd",
    "group",
  ].map { "/etc/\($0)" }
}
