import ProctorModel

/// Threads that ended in a panic and that nobody joined: no test fails because of them.
struct OrphanThreads {
  private struct Panic {
    let thread: Int
    let test: TestCase
    let message: String
    let location: SourceLocation?
    /// `thread::scope` passes the panics of its threads on to the test by itself.
    let isScoped: Bool
  }

  private var threads: [Int] = []
  private var panics: [Panic] = []

  mutating func add(_ thread: Int) { threads.append(thread) }

  /// Remembers the panics of other threads in a test's output, by the number of the thread.
  mutating func look(into output: String, of test: TestCase, _ context: AdapterContext) {
    guard output.contains("' (") else { return }
    let isScoped = output.contains("a scoped thread panicked")
    for panic in RustPanic(output: output, test: test.nativeID, context: context).ofThreads {
      panics.append(
        Panic(
          thread: panic.thread, test: test, message: panic.message, location: panic.location,
          isScoped: isScoped))
    }
  }

  func errors(_ context: AdapterContext) -> [RunError] {
    threads.compactMap { thread in
      guard let panic = panics.last(where: { $0.thread == thread }) else {
        return RunError(
          .unjoinedPanic, adapter: context.project.adapter,
          message: "a thread that a test left behind panicked, which fails no test", location: nil,
          suite: nil)
      }
      guard !panic.isScoped else { return nil }
      return RunError(
        .unjoinedPanic, adapter: context.project.adapter,
        message: "a thread of \(panic.test.name) panicked and nobody joined it, "
          + "which fails no test: \(panic.message)",
        location: panic.location, suite: panic.test.suite)
    }
  }
}
