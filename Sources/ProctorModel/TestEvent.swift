/// What an adapter's decoder understood from a runner, in the order it happened.
public enum TestEvent: Hashable, Sendable {
  /// A test exists. Each test is listed once per invocation, before it starts.
  case listed(TestCase)
  /// A listed test that the project's own configuration leaves out of this run (pytest's `-m` in
  /// addopts). It is no part of the selection and needs no outcome.
  case deselected(TestID)
  /// A file or class that the runner skips as a whole, before anybody knows which tests it has; where, and why.
  case leftOut(String)
  case started(TestID)
  case finished(TestID, Attempt)
  case error(RunError)
  /// The runner's end-of-run record arrived: it believes that it is complete.
  case ended
  /// The report contradicts itself or cannot be read; the verdict becomes `error`.
  case corrupt(String)
}
