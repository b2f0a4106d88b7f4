import FoundationEssentials
public import ProctorModel
import ProctorSandbox

extension Engine {
  /// Finds the tests that the outcome of a test depends on.
  /// - Parameters:
  ///   - name: its id, its full name, or the last part of its name.
  ///   - others: those that run before it, named likewise; nil for all that come before it in the order in force.
  /// - Throws: `EngineError` for a name that fits no test or several, and for a runner that keeps to its own order.
  public func bisectOrder(
    of name: String, after others: [String]?,
    progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) async throws(EngineError) -> OrderBisection {
    let clock = ContinuousClock()
    let start = clock.now
    let folder = try RunFolder(in: CacheFolder(environment: options.environment))
    Sandbox.sweep()
    let session = try session(in: folder.path, since: start, progress)
    let prepared = try await listed(for: name, session)
    let all = prepared.flatMap { $0.listed ?? [] }
    let broken = Accounting(outcomes: prepared.map(\.outcome), interrupted: Task.isCancelled)
      .listingVerdict(listed: all.count)
    guard broken.reason == nil else {
      return OrderBisection(finding: nil, problem: broken, test: nil)
    }
    let test = try only(name, among: all)
    guard let own = prepared.first(where: { $0.outcome.project == test.project }),
      var runner = own.runner
    else { return OrderBisection(finding: nil, problem: broken, test: test) }
    let adapter = adapter(of: test.project)
    guard adapter.canOrder else {
      throw EngineError(
        .usage, "\(adapter.id) keeps to its own order, so that none can be looked at",
        resolution: "This is possible for tests of pytest and jest.")
    }
    // What one run writes must not be what the next one depends on.
    runner.keepsWrites = false
    var bisector = OrderBisector(
      rounds: RoundRunner(
        adapter: adapter, build: own.build, runner: runner, allowed: own.outcome.allowed,
        isParanoid: false, begin: clock.now),
      test: test,
      predecessors: try predecessors(of: test, others, among: own.listed ?? [], adapter),
      seed: others == nil ? options.shuffle : nil)
    let found = try await bisector.answer()
    return OrderBisection(
      finding: found.finding, problem: found.problem, test: test, others: found.others,
      alone: found.alone, after: found.after, predecessors: found.predecessors, runs: found.runs,
      seed: found.seed, commands: commands(found, adapter),
      durationMS: (clock.now - start).milliseconds)
  }

  private func predecessors(
    of test: TestCase, _ others: [String]?, among listed: [TestCase], _ adapter: any Adapter
  ) throws(EngineError) -> [TestCase] {
    if let others {
      var named: [TestCase] = []
      for name in others { named.append(try only(name, among: listed)) }
      let order = named + [test]
      guard Set(order.map(\.id)).count == order.count else {
        throw EngineError(
          .usage, "a test is named twice",
          resolution: "Name each test once, the one to look at first.")
      }
      guard adapter.arranged(order)?.map(\.id) == order.map(\.id) else {
        throw EngineError(
          .usage, "\(adapter.id) cannot run these tests in this order",
          resolution: "Tests of one file, and of one describe block in it, stay together.")
      }
      return named
    }
    let order =
      options.shuffle.map { Shuffling(seed: $0).order(listed) } ?? ReportBuilder.ordered(listed)
    return Array((adapter.arranged(order) ?? []).prefix { $0.id != test.id })
  }

  /// - Throws: `EngineError` unless it is exactly one.
  private func only(_ name: String, among tests: [TestCase]) throws(EngineError) -> TestCase {
    let chosen = try TestSelector.path(".", name: name).choose(from: tests)
    if chosen.count == 1, let test = chosen.first { return test }
    guard chosen.isEmpty else {
      let ids = chosen.prefix(5).map(\.id.text).joined(separator: ", ")
      throw EngineError(
        .usage, "\(name) is the name of \(chosen.count) tests: \(ids)",
        resolution: "Give the id of one of them.")
    }
    let near = Suggestions.nearest(to: name, among: tests.map(\.fullName))
    throw EngineError(
      .usage, "there is no test \(name)",
      resolution: near.isEmpty
        ? "proctor list names all tests." : "Did you mean \(near.joined(separator: ", "))?")
  }

  private func commands(_ found: OrderBisection, _ adapter: any Adapter) -> [String] {
    guard let test = found.test, !found.others.isEmpty else { return [] }
    let after = found.others.map { " --after \(Self.quoted($0.id.text))" }.joined()
    let bare = adapter.shellCommand(running: found.others + [test])
    return ["proctor bisect-order \(Self.quoted(test.id.text))\(after)"]
      + (bare.map { [$0] } ?? [])
  }

  /// For a POSIX shell.
  private static func quoted(_ text: String) -> String {
    "'\(text.replacing("'", with: "'\\''"))'"
  }
}
