import ProctorFormats
public import ProctorModel

/// Reports of several machines as one: the parts of a divided run, or runs that belong together.
///
/// Parts of one plan are green only when it is proved that they are all there: each shard once, of one plan, on the same
/// code, with every test of the plan in exactly the shard that the plan gave it to. Reports without a shard are taken as
/// parts of one run, and so are those of other tools, which never belong to a plan. A test that several of them have
/// keeps all its attempts, the worst last: it is never greener than any of its reports.
public struct ReportMerge: Sendable {
  /// A part that can be read.
  struct Piece {
    let name: String
    /// nil for another tool's.
    let recorded: RecordedReport?
    let report: Report

    /// Milliseconds; of another tool's report what its tests took in sum.
    var durationMS: Double {
      recorded == nil
        ? report.reading?.files.compactMap(\.durationMS).reduce(0, +) ?? 0 : report.durationMS
    }
  }

  /// In the order in which they were named.
  let parts: [Part]
  let pieces: [Piece]
  private let unreadable: [(name: String, why: String)]
  /// The plan's digest, when it is known from elsewhere than the reports.
  private let plan: String?
  private let lost: [Int: String]

  /// - Parameters:
  ///   - plan: the digest that shards must have; nil for whatever they have, if all have the same.
  ///   - lost: what became of shards whose reports are not there, as far as that is known.
  public init(_ parts: [Part], plan: String? = nil, lost: [Int: String] = [:]) {
    self.parts = parts
    unreadable = parts.compactMap { part in part.problem.map { (part.name, $0) } }
    pieces = parts.compactMap(\.piece).enumerated().sorted {
      ($0.element.report.shard?.index ?? 0, $0.offset)
        < ($1.element.report.shard?.index ?? 0, $1.offset)
    }.map(\.element)
    self.plan = plan
    self.lost = lost
  }

  /// Everything that is known, with the one verdict on it.
  public func report() -> Report {
    let reports = pieces.map(\.report)
    let begin = reports.compactMap(\.beginning?.date).min()
    let outcomes = self.outcomes
    let states = Set(reports.map(\.beginning?.codeState))
    let changes = Set(reports.map(\.change))
    var result = Report(
      verdict: verdict(outcomes),
      tests: outcomes.flatMap(Self.results),
      errors: outcomes.flatMap(\.errors), missing: Self.missing(outcomes),
      adapters: outcomes.map { adapter($0, since: begin) }.filter { $0.project != Self.nowhere },
      sandbox: Self.weakest(reports.compactMap(\.sandbox)), durationMS: duration(since: begin),
      suggestions: [], writes: reports.flatMap(\.writes))
    result.beginning = begin.map {
      Report.Beginning(date: $0, codeState: states.count == 1 ? states.first ?? nil : nil)
    }
    result.change = changes.count == 1 ? changes.first ?? nil : nil
    let selections = Set(reports.map { $0.shard?.selection ?? $0.selection })
    // Parts of which some were selected are a selection together.
    let several = selections.compactMap(\.self).sorted()
    result.selection = several.isEmpty ? nil : several.joined(separator: " | ")
    result.reading = reading(Counts(result.tests))
    result.notes = notes
    return result
  }

  /// What all parts say is said once; anything else with the part that says it.
  private var notes: [String] {
    let common = pieces.dropFirst().reduce(Set(pieces.first?.report.notes ?? [])) {
      $0.intersection($1.report.notes)
    }
    return (pieces.first?.report.notes.filter(common.contains) ?? [])
      + pieces.flatMap { piece in
        piece.report.notes.filter { !common.contains($0) }.map(piece.named)
      }
  }

  // MARK: verdict

  private func verdict(_ outcomes: [ProjectOutcome]) -> Verdict {
    if let broken = corrupt ?? incomplete ?? ownError
      ?? ShardProof(pieces, plan: plan, lost: lost).failure
    {
      return broken
    }
    let verdict = Accounting(outcomes: outcomes, interrupted: false).verdict()
    // Where there is no project, what the parts say of themselves is more than that nothing was found.
    if verdict.status == .passed || outcomes.isEmpty { return less ?? verdict }
    guard verdict.reason == .testsFailed, omitted.failed > 0 else { return verdict }
    let failed = outcomes.flatMap(\.results.values).count { $0.outcome.countsAsFailed }
    return Verdict(
      status: verdict.status, reason: verdict.reason,
      message: "\(failed + omitted.failed) tests failed")
  }

  private var corrupt: Verdict? {
    if let (name, why) = unreadable.first { return Self.error(.reportCorrupt, "\(name) \(why)") }
    return pieces.lazy.compactMap { piece in
      piece.recorded?.contradiction.map { Self.error(.reportCorrupt, "\(piece.name) \($0)") }
    }.first
  }

  private var incomplete: Verdict? {
    pieces.first { $0.recorded?.listsAllTests == false && $0.report.verdict.status != .error }.map {
      Self.error(
        .reportIncomplete,
        "\($0.name) does not list the tests that passed: have it written with --details")
    }
  }

  /// What gave no verdict on one machine gives none on all.
  private var ownError: Verdict? {
    pieces.first { $0.report.verdict.status == .error }.map { piece in
      Verdict(
        status: .error, reason: piece.report.verdict.reason,
        message: piece.named(piece.report.verdict.message ?? "no verdict"))
    }
  }

  /// No part makes another one green.
  private var less: Verdict? {
    pieces.first { piece in
      let verdict = piece.report.verdict
      let isHarmless =
        verdict.reason == .allSkipped
        || (verdict.reason == .emptyShard && piece.report.shard != nil)
      return verdict.status != .passed && !isHarmless
    }.map { piece in
      let verdict = piece.report.verdict
      return Verdict(
        status: verdict.status, reason: verdict.reason,
        message: piece.named(verdict.message ?? verdict.status.rawValue))
    }
  }

  static func error(_ reason: Verdict.Reason, _ message: String) -> Verdict {
    Verdict(status: .error, reason: reason, message: message)
  }

  // MARK: what is known

  /// Stands for what belongs to no project.
  private static let nowhere = Project(
    adapter: AdapterID(rawValue: "merge"), root: ".", evidence: "reports")

  /// By project, as if all had run on one machine.
  private var outcomes: [ProjectOutcome] {
    var order: [String] = []
    var outcomes: [String: ProjectOutcome] = [:]
    var known: Set<TestID> = []
    func change(_ project: Project, _ body: (inout ProjectOutcome) -> Void) {
      let key = TestID(project: project, fullName: "").text
      if outcomes[key] == nil { order.append(key) }
      body(&outcomes[key, default: ProjectOutcome(project)])
    }
    for piece in pieces {
      let report = piece.report
      for adapter in report.adapters {
        change(adapter.project) { outcome in
          outcome.version = outcome.version ?? adapter.version
          outcome.output = outcome.output ?? adapter.output
          outcome.durationMS += adapter.durationMS
        }
      }
      if let project = piece.foreignProject {
        change(project) { $0.durationMS += piece.durationMS }
      }
      for result in report.tests { change(result.test.project) { $0.add(result) } }
      for test in report.tests.map(\.test) + report.missing where known.insert(test.id).inserted {
        change(test.project) { $0.selected.append(test) }
      }
      for error in report.errors {
        let project = report.adapters.first { $0.project.adapter == error.adapter }?.project
        change(project ?? Self.nowhere) { outcome in
          if !outcome.errors.contains(error) { outcome.errors.append(error) }
        }
      }
    }
    return order.compactMap { key in
      outcomes[key].map { outcome in
        var outcome = outcome
        outcome.selected = ReportBuilder.ordered(outcome.selected)
        return outcome
      }
    }
  }

  private static func results(_ outcome: ProjectOutcome) -> [TestResult] {
    outcome.selected.compactMap { outcome.result(of: $0) }
  }

  private static func missing(_ outcomes: [ProjectOutcome]) -> [TestCase] {
    Accounting(outcomes: outcomes, interrupted: false).missing
  }

  private func adapter(_ outcome: ProjectOutcome, since begin: Double?) -> AdapterReport {
    let commands = pieces.flatMap { piece in
      let delay = Self.delay(of: piece.report, since: begin)
      return piece.report.adapters.filter { $0.project == outcome.project }
        .flatMap(\.commands).map { $0.begun(later: delay) }
    }
    let omitted = pieces.filter {
      $0.foreignProject?.adapter == outcome.project.adapter
        && $0.foreignProject?.root == outcome.project.root
    }.map(\.omitted)
    return AdapterReport(
      project: outcome.project, version: outcome.version,
      counts: omitted.reduce(Counts(Self.results(outcome)), +),
      commands: commands, durationMS: outcome.durationMS, output: outcome.output)
  }

  // MARK: time and walls

  private static func delay(of report: Report, since begin: Double?) -> Double {
    guard let begin, let own = report.beginning?.date else { return 0 }
    return (own - begin) * 1000
  }

  /// From the first beginning to the last end; where beginnings are not known, the longest part.
  private func duration(since begin: Double?) -> Double {
    pieces.map { Self.delay(of: $0.report, since: begin) + $0.durationMS }.max() ?? 0
  }

  /// The receipt with the fewest walls, with what all of them denied.
  private static func weakest(_ receipts: [SandboxReceipt]) -> SandboxReceipt? {
    var denials = Denials()
    for receipt in receipts { denials.add(receipt.denied, omitted: receipt.deniedOmitted) }
    var result = receipts.min { $0.layers.count < $1.layers.count }
    result?.denied = denials.list
    result?.deniedOmitted = denials.omitted
    result?.reached = receipts.flatMap(\.reached).reduce(into: []) { list, limit in
      if !list.contains(limit) { list.append(limit) }
    }
    return result
  }
}

extension ReportMerge.Piece {
  /// For messages.
  var title: String { report.shard.map { "\($0.title) (\(name))" } ?? name }

  /// A sentence of its verdict, which may name the file already.
  func named(_ sentence: String) -> String {
    sentence.hasPrefix("\(name): ") ? sentence : "\(title): \(sentence)"
  }
}

extension ProjectOutcome {
  /// Takes in what one more report says of a test.
  fileprivate mutating func add(_ result: TestResult) {
    let id = result.test.id
    let earlier = attempts[id] ?? []
    let isLess = earlier.last.map { $0.outcome.gravity > result.outcome.gravity } ?? false
    attempts[id] = isLess ? result.attempts + earlier : earlier + result.attempts
    if result.isFlaky { flaky.insert(id) }
    if attempts[id]?.last?.outcome.countsAsFailed == true { flaky.remove(id) }
  }
}

extension Outcome {
  /// Of several outcomes of one test, the one with the most decides.
  fileprivate var gravity: Int {
    switch self {
    case .skipped: 0
    case .passed: 1
    case .failed, .errored: 2
    case .timedOut, .crashed: 3
    }
  }
}

extension AdapterReport.Command {
  fileprivate func begun(later milliseconds: Double) -> Self {
    Self(
      purpose: purpose, argv: argv, status: status, durationMS: durationMS,
      peakMemoryMB: peakMemoryMB, cpuMS: cpuMS, startedMS: startedMS.map { $0 + milliseconds },
      samples: samples)
  }
}
