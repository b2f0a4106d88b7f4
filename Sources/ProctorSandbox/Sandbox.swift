import CSandbox
import FoundationEssentials
import Glibc
import ProctorModel
import Synchronization

/// Runs commands under policies. Stateless.
public struct Sandbox: Sendable {
  public init() {}

  /// Removes what runs of proctors that were killed left in the kernel.
  public static func sweep() { ControlGroup.sweep() }

  /// The same for a container engine; asks it, which takes a moment.
  public static func sweep(_ container: SandboxPolicy.Container) {
    ContainerEngine(container).sweep()
  }

  /// Runs a command to its end. Cancelling the awaiting task kills the whole tree and gives a result
  /// with the ending `.cancelled`.
  ///
  /// - Parameters:
  ///   - overdue: asked again and again for the moment at which the command is to be killed before
  ///     its own limit, because of what it said so far; nil for none.
  ///   - events: called one at a time, in order, on one thread; while it blocks, so does the
  ///     command on its full pipes.
  ///   - isOver: asked after events whether what the command said is all that it was started for. It is
  ///     taken down then, as one that has ended well.
  ///   - settled: called when the result is certain and what is left is only being taken down; not by
  ///     every backend, nor when the command is killed. Without it `isOver` is not asked.
  /// - Throws: `SandboxError` when the command could not be started as the policy demands.
  public func run(
    _ command: SandboxCommand, policy: SandboxPolicy,
    overdue: @escaping @Sendable () -> ContinuousClock.Instant? = { nil },
    events: @escaping @Sendable (SandboxEvent) -> Void,
    isOver: @escaping @Sendable () -> Bool = { false },
    settled: (@Sendable (SandboxResult) -> Void)? = nil
  ) async throws(SandboxError) -> SandboxResult {
    let cancellation = csb_event()
    guard cancellation >= 0 else { throw SandboxRun.noDescriptors(errno) }
    defer { close(cancellation) }
    let result: Result<SandboxResult, SandboxError> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        OwnThread.run {
          let run = SandboxRun(
            command: command, policy: policy, cancellation: cancellation, overdue: overdue,
            events: events, isOver: isOver, settled: settled)
          continuation.resume(returning: Result { () throws(SandboxError) in try run.run() })
        }
      }
    } onCancel: {
      var one: UInt64 = 1
      _ = write(cancellation, &one, 8)
    }
    return try result.get()
  }
}

/// A thread for one piece of blocking work.
private enum OwnThread {
  private final class Work {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
  }

  static func run(_ body: @escaping @Sendable () -> Void) {
    var thread = pthread_t()
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 4 << 20)
    let work = Unmanaged.passRetained(Work(body)).toOpaque()
    let failed = pthread_create(
      &thread, &attributes,
      { argument in
        if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, work)
    pthread_attr_destroy(&attributes)
    if failed != 0 { Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body() }
  }
}
