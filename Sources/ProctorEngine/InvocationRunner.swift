import FoundationEssentials
import Glibc
import ProctorModel
import ProctorSandbox
import Synchronization

/// Puts one project's invocations into the sandbox, one after the other, and decodes what they say.
struct InvocationRunner: Sendable {
  let adapter: any Adapter
  let context: AdapterContext
  let host: [String: String]
  let backend: SandboxPolicy.Backend
  var limits: ResourceLimits
  var required: Set<ResourceLimits.Name>
  let container: SandboxPolicy.Container?
  var access: SandboxPolicy.WorkspaceAccess
  /// Whether later commands and the caller see what was written to a protected workspace.
  var keepsWrites: Bool
  /// Folders of the workspace that a copy of it does not have, absolute.
  let shown: [String]
  let network: SandboxPolicy.Network
  /// Folders that the configuration shows to tests.
  let reads: [String]
  /// Folders in which reading is no file operation.
  let freeReads: [String]
  /// Wall-clock seconds for each test; nil for no limit of its own.
  let testSeconds: Double?
  /// This project's part of the run folder.
  var scratch: String
  /// Times are told from here on.
  let begin: ContinuousClock.Instant
  var progress: @Sendable (Progress) -> Void

  /// Bytes kept of stdout and stderr of one invocation that only explains itself with them.
  private static let outputLimit = 1 << 20
  /// Bytes kept of a build's stdout, which is its report.
  private static let buildOutputLimit = 256 << 20
  static let home = "/tmp/home"

  struct Finished: Sendable {
    let result: SandboxResult
    let ledger: Ledger
    let evidence: InvocationEvidence
    let invocation: FinishedInvocation
    let stderr: CapturedText
    let stdout: CapturedText
    let command: AdapterReport.Command
    /// Tests that were running when the process died or was killed because of them.
    let blamed: [TestID]

    /// It ended by itself or was killed for one of its tests, and its report is incomplete.
    var isLost: Bool {
      switch result.ending {
      case .exited: !ledger.ended
      case .overdue, .outOfMemory: true
      case .wallTime, .cpuTime, .scratchSpace, .output, .cancelled: false
      }
    }
  }

  /// Runs to the end; a failing command is a result.
  /// - Parameter wallSeconds: less than the policy's limit, when time was used up before.
  func run(
    _ invocation: Invocation, ledger: Ledger, decoder: (any EventDecoder)?,
    wallSeconds: Double? = nil
  ) async throws(EngineError) -> Finished {
    progress(.began(context.project, title: invocation.title))
    let nonce = RunFolder.nonce()
    let recorder = Recorder(
      project: context.project, channel: invocation.channel, nonce: nonce, ledger: ledger,
      decoder: decoder,
      outputLimit: invocation.purpose == .build ? Self.buildOutputLimit : Self.outputLimit,
      testSeconds: invocation.purpose == .run ? testSeconds : nil, begin: begin,
      progress: progress)
    let result = try await sandboxed(
      invocation, nonce: nonce, wallSeconds: wallSeconds, overdue: { recorder.overdue },
      events: { recorder.receive($0) })
    return recorder.finish(result, of: invocation, adapter: adapter, context: context)
  }

  /// Lays out what an invocation needs, runs it to its end and takes all of that away again.
  /// - Parameters:
  ///   - nonce: what its records on the channel will carry.
  ///   - input: an open descriptor whose bytes it gets on stdin; nil for nothing.
  func sandboxed(
    _ invocation: Invocation, nonce: String, wallSeconds: Double? = nil, input: Int32? = nil,
    overdue: @escaping @Sendable () -> ContinuousClock.Instant? = { nil },
    events: @escaping @Sendable (SandboxEvent) -> Void
  ) async throws(EngineError) -> SandboxResult {
    let place = try prepare(invocation, nonce: nonce)
    defer { FileSystem.removeTree(place.folder) }
    var command = command(invocation, place, nonce: nonce)
    command.input = input
    do {
      return try await Sandbox().run(
        command, policy: policy(invocation, place, wallSeconds),
        overdue: overdue, events: events)
    } catch {
      throw EngineError(sandbox: error)
    }
  }

  // MARK: from an invocation to a command

  /// Where what an invocation needs was laid out.
  struct Place {
    let folder: String
    var files: String { "\(folder)/files" }
    var output: String { "\(folder)/output" }
    let channel: String
  }

  /// - Parameter isAhead: whether its request will come over a pipe.
  func prepare(
    _ invocation: Invocation, nonce: String, isAhead: Bool = false
  ) throws(EngineError) -> Place {
    let folder = "\(scratch)/\(nonce.prefix(8))"
    let place = Place(folder: folder, channel: "\(folder)/\(RunFolder.nonce())")
    try FileSystem.makeFolder(place.files)
    try FileSystem.makeFolder(place.output)
    for (name, data) in invocation.files {
      if isAhead, name == invocation.ahead?.request {
        try Self.makePipe("\(place.files)/\(name)")
        continue
      }
      let text = String(validating: data, as: UTF8.self)
      let filled = text.map { Data(fill($0, place, nonce: nonce).utf8) } ?? data
      let path = "\(place.files)/\(name)"
      let parent = path.parentFolder
      if name.contains("/") { try FileSystem.makeFolder(parent) }
      try FileSystem.write(filled, to: path)
    }
    if case .none = invocation.channel { return place }
    // Its name is the secret; in a container another user writes to it.
    try Self.makePipe(place.channel)
    if container != nil { chmod(place.channel, 0o622) }
    return place
  }

  private static func makePipe(_ path: String) throws(EngineError) {
    guard mkfifo(path, 0o600) == 0 else {
      throw FileSystem.storage(
        "cannot create the pipe \(path): \(String(cString: strerror(errno)))")
    }
  }

  func fill(_ text: String, _ place: Place, nonce: String) -> String {
    guard text.holds("{{") else { return text }
    return text.replacing(Invocation.channelPlaceholder, with: place.channel)
      .replacing(Invocation.noncePlaceholder, with: nonce)
      .replacing(Invocation.filesPlaceholder, with: place.files)
      .replacing(Invocation.outputPlaceholder, with: place.output)
  }

  /// Before the placeholders are filled in.
  func environment(of invocation: Invocation) -> [String: String] {
    GuestEnvironment(host: host, backend: backend, home: Self.home)
      .variables(adapter: adapter, context: context, invocation: invocation)
  }

  func command(
    _ invocation: Invocation, _ place: Place, nonce: String, adding more: [String: String] = [:]
  ) -> SandboxCommand {
    let environment = environment(of: invocation).merging(more) { $1 }
    var channel: String? = place.channel
    if case .none = invocation.channel { channel = nil }
    return SandboxCommand(
      argv: invocation.argv.map { fill($0, place, nonce: nonce) },
      environment: environment.mapValues { fill($0, place, nonce: nonce) },
      directory: invocation.directory, channel: channel, visible: [place.folder])
  }

  /// A mount more costs a little, so that only those get it who ask.
  private func writesOutput(_ invocation: Invocation) -> Bool {
    let texts = invocation.argv + invocation.environment.values
    return texts.contains { $0.contains(Invocation.outputPlaceholder) }
  }

  /// An image brings its own tools.
  private var hostReads: [String] { (container == nil ? context.toolchain.reads : []) + reads }

  /// What every command of the project sees.
  var visiblePaths: [String] {
    [
      context.workspace, context.cache, context.sharedCache, scratch, "/usr", "/bin", "/sbin",
      "/lib", "/lib32", "/lib64", "/etc", "/proc", "/dev", Self.home,
    ] + context.toolchain.reads + reads
  }

  func policy(
    _ invocation: Invocation, _ place: Place, _ wallSeconds: Double? = nil
  ) -> SandboxPolicy {
    var limits = limits
    if let wallSeconds { limits.wallSeconds = wallSeconds }
    var required = required
    let runsUserCode = [.list, .run, .call].contains(invocation.purpose)
    if !runsUserCode {
      // Compilers may use what they need; these limits are for tests.
      limits = ResourceLimits(
        wallSeconds: limits.wallSeconds, memoryMB: limits.memoryMB, processes: limits.processes)
      required.formIntersection([.memoryMB, .processes])
    }
    return SandboxPolicy(
      backend: backend, workspace: context.workspace, source: context.files,
      access: invocation.writesWorkspace ? .writable : access,
      network: invocation.purpose == .fetch ? .host : runsUserCode ? network : .none,
      mounts: shown.map { .copyOnWrite($0) } + hostReads.map { .readOnly($0) } + invocation.mounts
        + (writesOutput(invocation) ? [.writable(place.output)] : []),
      keepsWrites: keepsWrites, keepsLayers: invocation.purpose == .fetch, limits: limits,
      required: required,
      home: Self.home, scratch: scratch, freeReads: freeReads, container: container)
  }
}
