public import FoundationEssentials

/// A file that a candidate adds, changes or removes.
public struct ChangedFile: Sendable {
  /// Relative to the workspace.
  public let path: String
  /// nil for a file that is added.
  public let before: Data?
  /// nil for a file that is removed.
  public let after: Data?

  public init(path: String, before: Data?, after: Data?) {
    self.path = path
    self.before = before
    self.after = after
  }

  public var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  private static let testFolders: Set<Substring> = [
    "test", "tests", "Tests", "spec", "specs", "__tests__", "__mocks__", "__snapshots__",
    "testdata", "test-data", "fixtures", "testing", "integration-tests", "t",
  ]

  /// As every language has it: it stands in a folder of tests, or is named as one.
  public var isNamedAsTest: Bool {
    if path.split(separator: "/").dropLast().contains(where: Self.testFolders.contains) {
      return true
    }
    let stem = name.split(separator: ".").dropLast()
    guard let first = stem.first else { return false }
    return stem.dropFirst().contains { ["test", "spec", "snap"].contains($0) }
      || name.hasSuffix(".snap")
      || ["test_", "spec_"].contains { first.hasPrefix($0) }
      || ["_test", "_tests", "_spec", "Test", "Tests", "Spec"].contains { first.hasSuffix($0) }
      || ["test", "tests"].contains(String(first))
  }

  /// Whether some part of it differs before and after.
  /// - Parameter part: of its text; nil when it has none such.
  public func differs(in part: (String) -> String?) -> Bool {
    func own(_ data: Data?) -> String? {
      data.flatMap { part(String(decoding: $0, as: UTF8.self)) }
    }
    return own(before) != own(after)
  }

  /// The lines of a text from one that holds a mark on, for what has no better borders.
  public static func lines(of text: String, from marks: [String]) -> String? {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let chosen = lines.indices.filter { index in marks.contains { lines[index].contains($0) } }
    return chosen.first.map { lines[$0...].joined(separator: "\n") }
  }
}
