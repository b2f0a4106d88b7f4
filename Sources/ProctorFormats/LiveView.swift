public import ProctorModel

/// What a run looks like while it goes on: a value fed with progress, asked for lines.
public struct LiveView: Sendable {
  private static let slowestShown = 4
  private static let failuresShown = 5

  private var activities: [(project: Project, title: String)] = []
  private var attacks = 0
  private var usage: [Project: UsageSample] = [:]
  private var names: [TestID: String] = [:]
  private var running: [TestID: ContinuousClock.Instant] = [:]
  private var passed = 0
  private var failed = 0
  private var skipped = 0
  private var errors = 0
  private var failures: [String] = []
  private var begun: ContinuousClock.Instant?
  public private(set) var isFinished = false

  public init() {}

  public mutating func finish() { isFinished = true }

  public mutating func apply(_ progress: Progress, at now: ContinuousClock.Instant) {
    begun = begun ?? now
    switch progress {
    case .detected: break
    case .began(let project, let title):
      activities.removeAll { $0.project == project }
      activities.append((project, title))
    case .listed(let test): names[test.id] = test.fullName
    case .started(let id): running[id] = now
    case .finished(let result): finish(result)
    case .error: errors += 1
    case .done(let project):
      activities.removeAll { $0.project == project }
      usage[project] = nil
    case .usage(let project, let sample): usage[project] = sample
    case .attacked(let attack):
      attacks += 1
      if attack.outcome == .gotThrough { failures.append("\(attack.category): \(attack.name)") }
    }
  }

  /// ` · 140 % CPU, 312 MB`.
  private static func text(_ sample: UsageSample) -> String {
    let parts = [
      sample.cpuPercent.map { "\(Int($0.rounded())) % CPU" },
      sample.memoryMB.map { "\(Int($0.rounded())) MB" },
    ]
    let known = parts.compactMap(\.self)
    return known.isEmpty ? "" : " · " + known.joined(separator: ", ")
  }

  private mutating func finish(_ result: TestResult) {
    running[result.test.id] = nil
    switch result.outcome {
    case .passed: passed += 1
    case .skipped: skipped += 1
    case .failed, .errored, .timedOut, .crashed:
      failed += 1
      let place = result.last.failures.first?.location.map { " (\($0.text))" } ?? ""
      failures.append(result.test.fullName + place)
    }
  }

  /// The block to show now, no line wider than `width`, no more lines than `height`.
  public func lines(
    width: Int, height: Int, at now: ContinuousClock.Instant, style: TextStyle
  ) -> [String] {
    let elapsed = begun.map { ($0.duration(to: now)) / .milliseconds(1) } ?? 0
    var result: [(String, TextStyle.Mark?)] = activities.map {
      ("\($0.project.title): \($0.title)\(usage[$0.project].map(Self.text) ?? "")", nil)
    }
    if activities.isEmpty { result.append(("looking for runners", nil)) }
    result += failures.suffix(Self.failuresShown).map { ("FAIL \($0)", .red) }
    let slowest = running.sorted { $0.value < $1.value }.prefix(Self.slowestShown)
    result += slowest.map { id, since in
      ("  \(humanTime(since.duration(to: now) / .milliseconds(1))) \(names[id] ?? id.text)", .faint)
    }
    if attacks > 0 {
      return [style.mark("\(attacks) attacks done · \(humanTime(elapsed))", .bold)]
    }
    let all = names.isEmpty ? "" : " of \(names.count)"
    let wrong = errors > 0 ? ", \(errors) errors" : ""
    result.append(
      (
        "\(passed + failed + skipped)\(all) done: \(passed) passed, \(failed) failed, "
          + "\(skipped) skipped\(wrong) · \(humanTime(elapsed))", .bold
      ))
    return result.suffix(max(1, height)).map { text, mark in
      let line = String(text.harmless(multiline: false).prefix(max(1, width)))
      return mark.map { style.mark(line, $0) } ?? line
    }
  }
}
