extension TestResult {
  /// Roughly what it takes to keep or to write it.
  public var bytes: Int {
    attempts.reduce(500) { sum, attempt in
      sum + (attempt.stdout?.text.utf8.count ?? 0) + (attempt.stderr?.text.utf8.count ?? 0)
        + attempt.failures.reduce(0) { $0 + $1.message.utf8.count }
    }
  }
}
