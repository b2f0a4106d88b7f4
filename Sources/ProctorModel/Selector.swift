/// Which files a listing may be narrowed to, a hint that saves work: the engine still selects.
public enum Scope: Hashable, Sendable {
  case everything
  /// Only tests of this file or below this folder, relative to the workspace.
  case path(String)
}

/// The tests that an invocation has to run.
public enum Selection: Hashable, Sendable {
  /// Everything there is; `listed` holds the tests when a listing was made, else it is empty.
  case all(listed: [TestCase])
  /// Exactly these, all of one project, in listing order, never empty.
  case cases([TestCase])
}
