import ProctorFormats
import ProctorModel
import Synchronization

/// How far a call is, for whoever looks from time to time.
final class ProgressFeed: Sendable {
  private let followed = Mutex<RunProgress?>(nil)

  /// Tells of something that is no run: `waiting for the user`.
  func say(_ what: String) { follow(RunProgress(saying: what)) }

  /// What goes on is told there from now on.
  func follow(_ progress: RunProgress) { followed.withLock { $0 = progress } }

  /// Tests that have ended since so many had.
  func ended(after count: Int) -> ArraySlice<RunProgress.Ended> {
    followed.withLock { $0 }?.ended(after: count) ?? []
  }

  /// nil while there is nothing to tell.
  var now: RunProgress.Now? { followed.withLock { $0 }?.now }
}

/// What is known of a run while it goes on; any thread may tell it.
final class RunProgress: Sendable {
  struct Now: Sendable, Equatable {
    /// Tests with an outcome.
    let done: Int
    /// Tests that are known so far; nil while none is.
    let total: Int?
    let passed: Int
    let failed: Int
    let skipped: Int
    /// What is being done: `building`, a test's name.
    let doing: String?

    /// `12 of 50 tests, running tests/test_a.py::test_slow`.
    var sentence: String {
      let tests = total.map { "\(done) of \($0) tests" }
      let wrong = failed > 0 ? "\(failed) failed" : nil
      let parts = [tests, wrong, doing].compactMap(\.self)
      return parts.isEmpty ? "looking for runners" : parts.joined(separator: ", ")
    }
  }

  /// A test that has ended, as it was told.
  struct Ended: Sendable {
    let id: TestID
    let name: String
    let file: String?
    let outcome: Outcome
    /// Milliseconds; nil when the runner does not say.
    let durationMS: Double?
  }

  private struct State {
    /// In the order in which they ended.
    var ended: [Ended] = []
    var outcomes: [TestID: Outcome] = [:]
    var names: [TestID: String] = [:]
    var running: [TestID] = []
    var stages: [(project: Project, title: String)] = []
    /// While there is nothing else.
    var other: String?
  }

  private let state: Mutex<State>

  /// - Parameter other: what is done while there is nothing else to tell.
  init(saying other: String? = nil) { state = Mutex(State(other: other)) }

  func apply(_ event: Progress) {
    state.withLock { state in
      switch event {
      case .detected, .error, .usage, .attacked: break
      case .began(let project, let title):
        state.stages.removeAll { $0.project == project }
        state.stages.append((project, title))
      case .done(let project): state.stages.removeAll { $0.project == project }
      case .listed(let test): state.names[test.id] = test.fullName
      case .started(let id):
        if !state.running.contains(id) { state.running.append(id) }
      case .finished(let result):
        state.outcomes[result.test.id] = result.outcome
        state.ended.append(
          Ended(
            id: result.test.id, name: result.test.fullName, file: result.test.file,
            outcome: result.outcome, durationMS: result.last.durationMS))
        state.running.removeAll { $0 == result.test.id }
      }
    }
  }

  /// Tests that have ended since so many had.
  func ended(after count: Int) -> ArraySlice<Ended> {
    state.withLock { $0.ended.dropFirst(count) }
  }

  var now: Now {
    state.withLock { state in
      let outcomes = state.outcomes.values
      let test = state.running.first.map { "running \(state.names[$0] ?? $0.text)" }
      let stage = state.stages.first.map { "\($0.project.title): \($0.title)" }
      return Now(
        done: outcomes.count,
        total: state.names.isEmpty ? nil : max(state.names.count, outcomes.count),
        passed: outcomes.count { $0 == .passed }, failed: outcomes.count(where: \.countsAsFailed),
        skipped: outcomes.count { $0 == .skipped },
        doing: (test ?? stage ?? state.other).map(TextSummary.oneLine))
    }
  }
}
