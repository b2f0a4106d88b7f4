import ProctorAudit
import ProctorEngine

/// A workspace that clients may have worked on, and what all of its clients share.
struct ServedWorkspace: Sendable {
  /// By which clients mean it, where there are several.
  let name: String
  /// Absolute.
  let root: String
  let options: EngineOptions
  /// Shared with other workspaces of the service.
  let queue: WorkQueue
  /// Where calls are recorded.
  let trail: AuditTrail
  let runs = RunStore()

  /// The runs that are kept; nil where there is no cache folder.
  var archive: RunArchive? {
    try? RunArchive(workspace: root, environment: options.environment)
  }

  /// What is in force now is held to whatever becomes of `proctor.toml`, which those who are to be confirmed might
  /// write: later settings cannot be laxer.
  init(
    name: String, directory: String, options: EngineOptions, queue: WorkQueue, trail: AuditTrail
  ) throws(EngineError) {
    let root = try Engine.root(of: directory)
    var options = options
    // What cannot be read is told with each call; until then it permits nothing.
    let engine = try? Engine(workspace: root, options: options)
    options.floor = engine?.configuration ?? Configuration()
    (self.name, self.root, self.options) = (name, root, options)
    (self.queue, self.trail) = (queue, trail)
  }

  /// - Parameter caller: who calls, as far as it is known.
  func context(
    for reader: OperationContext.Reader, asking ask: @escaping OperationContext.Asker,
    _ feed: ProgressFeed, door: AuditDoorKind, caller: String
  ) -> OperationContext {
    OperationContext(
      workspace: root, options: options, runs: runs, queue: queue, reader: reader, ask: ask,
      feed: feed, audit: AuditDoor(door, caller: caller, trail: trail), say: trail.say)
  }
}
