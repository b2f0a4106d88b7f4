import ProctorModel

extension RecordedReport {
  /// Where it does not agree with itself, in a sentence that goes on after its name; nil when it does.
  ///
  /// Reports travel as files from machine to machine: one that was cut, edited or put together by hand must not be
  /// believed for its first line.
  public var contradiction: String? {
    if total_tests != passed + failed + skipped {
      return "has \(total_tests) tests, of which \(passed + failed + skipped) have an outcome"
    }
    if failures.count != failed { return "counts \(failed) failed tests and has \(failures.count)" }
    if status == .passed, passed == 0 || failed > 0 || errors != nil || missing != nil {
      return "is passed, and has what cannot be in a run that passed"
    }
    if let failure = failures.first(where: { !$0.outcome.countsAsFailed }) {
      return "has \(failure.id) among its failures, whose outcome is \(failure.outcome.rawValue)"
    }
    return testsContradiction(tests)
  }

  private func testsContradiction(_ tests: [Test]?) -> String? {
    guard let tests else { return nil }
    let counts = [passed, failed, skipped]
    let listed = [
      tests.count { $0.outcome == .passed }, tests.count { $0.outcome.countsAsFailed },
      tests.count { $0.outcome == .skipped },
    ]
    if counts != listed {
      return "counts \(Self.words(counts)) and lists \(Self.words(listed))"
    }
    var outcomes: [String: Outcome] = [:]
    for test in tests where outcomes.updateValue(test.outcome, forKey: test.id) != nil {
      return "lists \(test.id) twice"
    }
    if let failure = failures.first(where: { outcomes[$0.id] != $0.outcome }) {
      return "has different outcomes for \(failure.id)"
    }
    if let gone = missing?.first(where: { outcomes[$0] != nil }) {
      return "has an outcome for \(gone), which it says is missing"
    }
    return nil
  }

  private static func words(_ counts: [Int]) -> String {
    "\(counts[0]) passed, \(counts[1]) failed, \(counts[2]) skipped"
  }
}
