public import ProctorModel

/// The answer of `proctor bisect-order`; absent is absent.
struct BisectionAnswer: Encodable {
  enum Status: String, Encodable {
    /// The order matters.
    case found
    case notFound = "not_found"
    case error
  }

  struct Row: Encodable {
    let id: TestID
    let full_name: String
    let file: String?
    let line: Int?

    init(_ test: TestCase) {
      id = test.id
      full_name = test.fullName
      file = test.file
      line = test.definition?.line
    }
  }

  let status: Status
  let reason: Verdict.Reason?
  let message: String
  let finding: OrderBisection.Finding?
  let test: Row?
  let others: [Row]?
  let outcome_alone: Outcome?
  let outcome_after: Outcome?
  /// Of the end that is not a pass.
  let error: String?
  let predecessors: Int
  let runs: Int
  let seed: UInt64?
  let commands: [String]?
  let execution_time_ms: Double

  init(_ found: OrderBisection) {
    status =
      switch found.finding {
      case .polluted, .brittle: .found
      case .independent, .failsAlways, .flaky: .notFound
      case nil: .error
      }
    reason = found.problem?.reason
    message = found.sentence
    finding = found.finding
    test = found.test.map(Row.init)
    others = found.others.map(Row.init).nonEmpty
    outcome_alone = found.alone?.outcome
    outcome_after = found.after?.outcome
    error = found.failure?.firstMessage
    predecessors = found.predecessors
    runs = found.runs
    seed = found.seed
    commands = found.commands.nonEmpty
    execution_time_ms = found.durationMS.rounded3
  }
}

extension OrderBisection {
  /// The end that is not a pass; nil when both are.
  var failure: Attempt? {
    [after, alone].compactMap(\.self).first { $0.outcome.countsAsFailed }
  }

  /// What was found, in a sentence.
  var sentence: String {
    let name = test?.fullName ?? ""
    let names = others.map(\.fullName).joined(separator: ", ")
    let before = predecessors == 1 ? "the 1 test" : "the \(predecessors) tests"
    switch finding {
    case .polluted: return "\(name) passes alone and fails after \(names)"
    case .brittle: return "\(name) fails alone and passes after \(names)"
    case .independent:
      return predecessors == 0
        ? "\(name) passes, and no test comes before it"
        : "\(name) passes alone and after \(before) before it; another order may show more"
    case .failsAlways:
      return predecessors == 0
        ? "\(name) fails alone, and no test comes before it"
        : "\(name) fails alone and after \(before) before it: it is not the order"
    case .flaky:
      return
        "\(name) did not end the same way twice under the same conditions: it is not the order alone"
    case nil: return problem?.message ?? "there is no answer"
    }
  }
}

extension TextSummary {
  public static func render(_ found: OrderBisection, style: TextStyle) -> String {
    let word =
      switch found.finding {
      case .polluted: style.mark("POLLUTED", .red)
      case .brittle: style.mark("BRITTLE", .red)
      case .independent: style.mark("NOT THE ORDER", .green)
      case .failsAlways, .flaky: style.mark("NOT THE ORDER", .yellow)
      case nil:
        style.mark("NO VERDICT", .red)
          + (found.problem?.reason.map { " (\($0.rawValue))" } ?? "")
      }
    var lines = ["\(word): \(found.sentence.harmless(multiline: false))"]
    for (title, test) in found.others.map({ ("after", $0) })
      + (found.test.map { [("test", $0)] } ?? [])
    {
      let place = test.definition?.text ?? test.file ?? ""
      lines.append(
        "  \(title): \(test.id.text.harmless(multiline: false))  \(place.harmless(multiline: false))"
      )
    }
    if let failure = found.failure {
      lines.append(failure.firstMessage.cut(2000).harmless(multiline: true).indented(by: 4))
    }
    if !found.commands.isEmpty {
      lines.append("Shown again by:")
      lines += found.commands.map { "  \($0.harmless(multiline: false))" }
    }
    let seed = found.seed.map { ", order of seed \($0)" } ?? ""
    lines.append("\(found.runs) runs in \(humanTime(found.durationMS))\(seed)")
    return lines.joined(separator: "\n") + "\n"
  }
}
