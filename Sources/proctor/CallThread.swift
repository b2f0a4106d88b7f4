import Dispatch
import Synchronization

/// Runs all jobs of one task on one thread: handing over to others takes longer than most of what a warm call has to do.
final class CallThread: TaskExecutor {
  private struct State {
    var jobs: [UnownedJob] = []
    var isOver = false
  }

  private let state = Mutex(State())
  private let bell = DispatchSemaphore(value: 0)

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    state.withLock { $0.jobs.append(job) }
    bell.signal()
  }

  /// Runs what is to be done on the calling thread, until `end`.
  func run() {
    while true {
      bell.wait()
      let (next, isOver) = state.withLock { state in
        (state.jobs.isEmpty ? nil : state.jobs.removeFirst(), state.isOver)
      }
      if let next {
        next.runSynchronously(on: asUnownedTaskExecutor())
      } else if isOver {
        return
      }
    }
  }

  /// Lets `run` come back. The last thing that a job of it does.
  func end() {
    state.withLock { $0.isOver = true }
    bell.signal()
  }
}
