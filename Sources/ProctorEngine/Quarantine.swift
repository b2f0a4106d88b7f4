import FoundationEssentials
import ProctorModel

/// The entries of `proctor-quarantine.toml` at work in one run.
///
/// They take failures of tests out of the verdict and nothing else: no error outside tests, no crash, no lost report, no time
/// limit of the run.
struct Quarantine: Sendable {
  private let entries: [(entry: QuarantineEntry, pattern: Pattern?)]
  /// What is to be said of entries that do not count.
  let notes: [String]

  /// - Parameter today: `2026-11-22`, UTC.
  /// - Throws: `EngineError` for a pattern that is none.
  init(_ configuration: Configuration, today: String) throws(EngineError) {
    var entries: [(QuarantineEntry, Pattern?)] = []
    var notes: [String] = []
    for entry in configuration.quarantine {
      guard entry.expires >= today else {
        notes.append(
          "the quarantine of \(entry.text) (\(entry.owner)) expired on \(entry.expires): it counts again"
        )
        continue
      }
      if case .pattern(let pattern) = entry.subject {
        entries.append((entry, try Pattern(pattern)))
      } else {
        entries.append((entry, nil))
      }
    }
    notes += configuration.lateQuarantine.map {
      "the quarantine of \($0.text) (\($0.owner)) was added or changed after this session began: it does not count in it"
    }
    self.entries = entries
    self.notes = notes
  }

  /// The day that it is, UTC.
  static var today: String {
    String(Date.now.formatted(Date.ISO8601FormatStyle()).prefix(10))
  }

  /// The first entry that a test falls under; nil for none.
  func entry(of test: TestCase) -> QuarantineEntry? {
    entries.first { Self.concerns($0, test) }?.entry
  }

  private static func concerns(
    _ item: (entry: QuarantineEntry, pattern: Pattern?), _ test: TestCase
  ) -> Bool {
    switch item.entry.subject {
    case .id(let id): id == test.id
    // A name that a pattern is too expensive for stays outside: that hides nothing.
    case .pattern: (try? item.pattern?.matches(test.fullName)) ?? false
    }
  }

  /// Takes the failures that it concerns out of what counts.
  func apply(to outcome: inout ProjectOutcome) {
    guard !entries.isEmpty else { return }
    let results = outcome.results
    for test in outcome.selected {
      guard let attempt = results[test.id], Self.mayBeHidden(attempt.outcome),
        let entry = entry(of: test)
      else { continue }
      outcome.quarantined[test.id] = QuarantinedFailure(entry: entry, attempt: attempt)
    }
  }

  private static func mayBeHidden(_ outcome: Outcome) -> Bool {
    switch outcome {
    case .failed, .errored, .timedOut: true
    case .passed, .skipped, .crashed: false
    }
  }

  /// The entries that fit no test of a run over everything.
  func stale(among tests: [TestCase]) -> [QuarantineEntry] {
    entries.filter { item in !tests.contains { Self.concerns(item, $0) } }.map(\.entry)
  }
}
