import ProctorModel
import ProctorSandbox

/// Looks for the tests that a test's outcome depends on, by running exact selections in an exact order.
struct OrderBisector {
  /// A run whose result cannot be relied on ends the search.
  struct Problem: Error {
    let verdict: Verdict
  }

  let rounds: RoundRunner
  let test: TestCase
  /// What runs before it, as the adapter arranges it.
  let predecessors: [TestCase]
  let seed: UInt64?

  private(set) var runs = 0

  init(rounds: RoundRunner, test: TestCase, predecessors: [TestCase], seed: UInt64?) {
    self.rounds = rounds
    self.test = test
    self.predecessors = predecessors
    self.seed = seed
  }

  /// Never throws a `Problem`: that is an answer, too.
  mutating func answer() async throws(EngineError) -> OrderBisection {
    do {
      return try await found()
    } catch let problem as Problem {
      return OrderBisection(
        finding: nil, problem: problem.verdict, test: test, predecessors: predecessors.count,
        runs: runs, seed: seed)
    } catch let error as EngineError {
      throw error
    } catch {
      throw EngineError(.workspace, "\(error)", resolution: "Report this as a bug of proctor.")
    }
  }

  private mutating func found() async throws -> OrderBisection {
    let alone = try await attempt(after: [])
    let after = predecessors.isEmpty ? alone : try await attempt(after: predecessors)
    switch (alone.outcome == .passed, after.outcome == .passed) {
    case (true, true): return result(.independent, alone: alone, after: after)
    case (false, false): return result(.failsAlways, alone: alone, after: after)
    case (let passesAlone, let passesAfter):
      let others = try await smallest(giving: passesAfter)
      let (again, aloneAgain) = (
        try await attempt(after: others), try await attempt(after: [])
      )
      guard (again.outcome == .passed) == passesAfter,
        (aloneAgain.outcome == .passed) == passesAlone
      else { return result(.flaky, others: others, alone: aloneAgain, after: again) }
      return result(
        passesAlone ? .polluted : .brittle, others: others, alone: aloneAgain, after: again)
    }
  }

  private func result(
    _ finding: OrderBisection.Finding, others: [TestCase] = [], alone: Attempt, after: Attempt
  ) -> OrderBisection {
    OrderBisection(
      finding: finding, test: test, others: others, alone: alone, after: after,
      predecessors: predecessors.count, runs: runs, seed: seed)
  }

  // MARK: the search

  /// Predecessors none of which can be left out (ddmin: Zeller and Hildebrandt 2002).
  /// - Parameter passes: the outcome that all of them together give.
  private mutating func smallest(giving passes: Bool) async throws -> [TestCase] {
    var (items, pieces) = (predecessors, 2)
    while items.count > 1 {
      let parts = Self.split(items, into: pieces)
      // With two pieces each is the rest of the other.
      let rests = pieces > 2 ? parts.map { part in Self.without(part, items) } : []
      var smaller: (items: [TestCase], pieces: Int)?
      for part in parts where smaller == nil {
        if try await (attempt(after: part).outcome == .passed) == passes { smaller = (part, 2) }
      }
      for rest in rests where smaller == nil {
        if try await (attempt(after: rest).outcome == .passed) == passes {
          smaller = (rest, max(2, pieces - 1))
        }
      }
      if let smaller {
        (items, pieces) = smaller
      } else if pieces >= items.count {
        break
      } else {
        pieces = min(items.count, pieces * 2)
      }
    }
    return items
  }

  private static func split(_ items: [TestCase], into pieces: Int) -> [[TestCase]] {
    (0..<pieces).map { index in
      Array(items[(items.count * index / pieces)..<(items.count * (index + 1) / pieces)])
    }.filter { !$0.isEmpty }
  }

  private static func without(_ part: [TestCase], _ items: [TestCase]) -> [TestCase] {
    let left = Set(part.map(\.id))
    return items.filter { !left.contains($0.id) }
  }

  // MARK: one run

  /// How the test ends after these, in one process.
  private mutating func attempt(after others: [TestCase]) async throws -> Attempt {
    runs += 1
    let order = others + [test]
    let round = try await rounds.run(order, title: "run \(runs)", mode: .ordered)
    if Task.isCancelled {
      throw Problem(
        verdict: Verdict(status: .error, reason: .interrupted, message: "interrupted"))
    }
    if let problem = round.problem { throw Problem(verdict: problem) }
    guard let attempt = round.outcome.results[test.id] else {
      throw Self.problem(.testsMissing, "no result came for \(test.fullName)")
    }
    guard round.outcome.evidence.count == 1 else {
      throw Self.problem(
        .crashed, "a test ended the process that it ran in, so that the order was not kept")
    }
    guard round.outcome.ran(in: order) else {
      throw Self.problem(
        .testsMissing,
        "the tests did not run in the order that was asked for: something else puts them in order")
    }
    guard attempt.outcome != .skipped else {
      throw Self.problem(.allSkipped, "\(test.fullName) was skipped (\(attempt.rawStatus))")
    }
    return attempt
  }

  private static func problem(_ reason: Verdict.Reason, _ message: String) -> Problem {
    Problem(verdict: Verdict(status: .error, reason: reason, message: message))
  }
}
