import ProctorModel

/// Whether the files that were asked for are among those that were really looked at: a file that no target has is not
/// compiled, and says nothing.
struct CheckCoverage {
  private let outcomes: [CheckRunner.Outcome]
  private let covered: Set<String>

  init(_ outcomes: [CheckRunner.Outcome]) {
    self.outcomes = outcomes
    covered = outcomes.reduce(into: []) { covered, outcome in
      switch outcome.coverage {
      case .asked: covered.formUnion(outcome.asked)
      case .files(let files): covered.formUnion(files)
      case .unknown: break
      }
    }
  }

  /// The same outcomes, with what is missing said.
  func judged() -> [CheckRunner.Outcome] {
    // What does not compile need not have come to every file.
    let isWhole = outcomes.allSatisfy { outcome in
      outcome.part.reason == nil && !outcome.diagnostics.contains { $0.severity == .error }
    }
    return isWhole ? outcomes.map(judged) : outcomes
  }

  private func judged(_ outcome: CheckRunner.Outcome) -> CheckRunner.Outcome {
    let open = outcome.asked.filter { !covered.contains($0) }
    guard let first = open.first else { return outcome }
    var outcome = outcome
    let part = outcome.part
    let more = open.count > 1 ? " and \(open.count - 1) more" : ""
    if case .unknown = outcome.coverage {
      outcome.part.reason = .toolMissing
      outcome.part.message =
        "its build step does not say which files it compiles, so nothing is known of \(first)\(more). "
        + "Check the project as a whole: proctor check \(part.project.root)"
    } else if open.count == outcome.asked.count {
      outcome.part.reason = .emptySelection
      outcome.part.message = "no target has \(first)\(more), so it was not compiled"
    } else {
      outcome.diagnostics += open.map {
        Diagnostic(
          .warning, by: .resolve, "no target has this file: it was not compiled",
          at: SourceLocation(file: $0), adapter: part.project.adapter)
      }
      outcome.part.warnings += open.count
    }
    return outcome
  }
}
