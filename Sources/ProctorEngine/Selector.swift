import FoundationEssentials
public import ProctorModel

/// Which tests the user wants.
public enum TestSelector: Sendable {
  case everything
  /// Tests whose full name the pattern matches anywhere.
  case matching(Pattern)
  /// Tests of a file, or below a folder, relative to the workspace; `.` is the whole workspace.
  /// `name` picks among them: an id, a full name or the last part of one, the first kind that
  /// matches anything.
  case path(String, name: String?)
  /// Exactly this test.
  case id(TestID)

  /// The chosen tests, in listing order.
  /// - Throws: `EngineError` when the pattern is too expensive.
  func choose(from listed: [TestCase]) throws(EngineError) -> [TestCase] {
    switch self {
    case .everything: return listed
    case .matching(let pattern):
      var chosen: [TestCase] = []
      for test in listed where try pattern.matches(test.fullName) { chosen.append(test) }
      return chosen
    case .id(let id): return listed.filter { $0.id == id }
    case .path(let path, let name):
      let inside = listed.filter { Self.holds(path, $0.file) }
      guard let name else { return inside }
      let kinds: [(TestCase) -> Bool] = [
        { $0.id.text == name }, { $0.fullName == name || $0.name == name },
        { TestID.lastPart(of: $0.fullName) == name || TestID.lastPart(of: $0.name) == name },
      ]
      return kinds.lazy.map { inside.filter($0) }.first { !$0.isEmpty } ?? []
    }
  }

  /// As it was asked for; nil for everything.
  var text: String? {
    switch self {
    case .everything: nil
    case .matching(let pattern): pattern.source
    case .path(let path, let name): [path, name].compactMap(\.self).joined(separator: " ")
    case .id(let id): id.text
    }
  }

  /// Whether running everything there is in a project is what is wanted.
  var isEverything: Bool {
    if case .everything = self { return true }
    return false
  }

  var scope: Scope {
    if case .path(let path, _) = self, path != "." { return .path(path) }
    return .everything
  }

  /// What the user typed, for suggestions; nil when it is no name.
  var wantedName: String? {
    switch self {
    case .path(_, let name): name
    case .id(let id): id.text
    case .matching(let pattern): pattern.source
    case .everything: nil
    }
  }

  /// Whether all that is wanted was called by its name.
  var isNamed: Bool {
    switch self {
    case .path(_, let name): name != nil
    case .id: true
    case .matching, .everything: false
    }
  }

  /// Whether tests of a project can be among the wanted ones.
  func concerns(_ project: Project, sourceExtensions: [String], isFolder: Bool) -> Bool {
    switch self {
    case .everything, .matching: return true
    case .id(let id):
      return id.text.hasPrefix(TestID(project: project, fullName: "").text)
    case .path(let path, _):
      if path == "." || path == project.root { return true }
      if isFolder {
        return project.root == "." || path.hasPrefix(project.root + "/")
          || project.root.hasPrefix(path + "/")
      }
      let inside = project.root == "." || path.hasPrefix(project.root + "/")
      return inside && sourceExtensions.contains { path.hasSuffix("." + $0) }
    }
  }

  private static func holds(_ path: String, _ file: String?) -> Bool {
    guard let file else { return false }
    return path == "." || file == path || file.hasPrefix(path + "/")
  }
}
