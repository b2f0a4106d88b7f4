import ProctorModel

/// What one invocation says about the tests of its project.
struct Ledger: Sendable {
  /// In listing order.
  private(set) var listed: [TestCase] = []
  private var positions: [TestID: Int] = [:]
  private(set) var deselected: Set<TestID> = []
  /// What was skipped as a whole, before its tests were known.
  private(set) var leftOut: [String] = []
  private var knownLeftOut: Set<String> = []
  /// Started and not finished, in starting order.
  private(set) var running: [TestID] = []
  private(set) var results: [TestID: Attempt] = [:]
  /// In the order in which they came.
  private(set) var finished: [TestID] = []
  private(set) var errors: [RunError] = []
  private(set) var contradictions: [String] = []
  /// Whether the end-of-run record arrived.
  private(set) var ended = false
  /// After a separate listing, a run may not widen what was selected from it.
  private var closed = false

  init() {}

  /// The tests to run are fixed: what the run itself lists beyond them is not part of it.
  init(selected: [TestCase]) {
    listed = selected
    for (index, test) in selected.enumerated() { positions[test.id] = index }
    closed = true
  }

  /// The selection: what was listed less what the project's own configuration deselects.
  var selection: [TestCase] { listed.filter { !deselected.contains($0.id) } }

  func test(_ id: TestID) -> TestCase? { positions[id].map { listed[$0] } }

  mutating func apply(_ event: TestEvent) {
    switch event {
    case .listed(let test): list(test)
    case .deselected(let id): deselected.insert(id)
    case .leftOut(let what): if knownLeftOut.insert(what).inserted { leftOut.append(what) }
    case .started(let id): if !running.contains(id) { running.append(id) }
    case .finished(let id, let attempt): finish(id, attempt)
    case .error(let error): if !errors.contains(error) { errors.append(error) }
    case .ended: ended = true
    case .corrupt(let what): contradict(what)
    }
  }

  mutating func contradict(_ what: String) {
    if !contradictions.contains(what) { contradictions.append(what) }
  }

  private mutating func list(_ test: TestCase) {
    if positions[test.id] != nil {
      if !closed { contradict("the test \(test.id) was listed twice") }
    } else if !closed {
      positions[test.id] = listed.count
      listed.append(test)
    }
  }

  private mutating func finish(_ id: TestID, _ attempt: Attempt) {
    running.removeAll { $0 == id }
    guard positions[id] != nil else {
      // A run of selected tests may report the others as skipped by the selection itself.
      if !closed || attempt.outcome != .skipped {
        contradict("a result came for \(id), which was not listed")
      }
      return
    }
    if results[id] != nil {
      contradict("two results came for the test \(id)")
      // The worse one stays: a second, better result must not hide the first.
      if results[id]?.outcome.countsAsFailed == true { return }
      if !attempt.outcome.countsAsFailed { return }
    }
    finished.append(id)
    results[id] = attempt
  }
}
