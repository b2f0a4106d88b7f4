/// The identity of a test: unique in a run, the same on every machine and in every run.
///
/// Its text is `ADAPTER:PROJECT:FULL NAME` with the project's folder relative to the workspace
/// (`.` for the root, `:` and `%` in it percent-encoded), and `#2`, `#3`... appended when one
/// project lists several tests of one full name, in listing order.
public struct TestID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
  public let text: String

  public init(text: String) { self.text = text }

  /// - Parameter occurrence: 1 for the first test of this name in its project.
  public init(project: Project, fullName: String, occurrence: Int = 1) {
    let root = project.root
      .split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%25")
      .split(separator: ":", omittingEmptySubsequences: false).joined(separator: "%3A")
    let suffix = occurrence > 1 ? "#\(occurrence)" : ""
    text = "\(project.adapter):\(root):\(fullName)\(suffix)"
  }

  /// The adapter, the project's folder and the full name (with the `#2` of a true duplicate) that the text is made of;
  /// nil for a text of another form.
  public var parts: (adapter: AdapterID, root: String, fullName: String)? {
    let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
    let root = parts[1].split(separator: "%3A", omittingEmptySubsequences: false)
      .joined(separator: ":")
      .split(separator: "%25", omittingEmptySubsequences: false).joined(separator: "%")
    return (AdapterID(rawValue: String(parts[0])), root, String(parts[2]))
  }

  public init(from decoder: any Decoder) throws {
    text = try decoder.singleValueContainer().decode(String.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }

  public var description: String { text }

  public static func < (left: TestID, right: TestID) -> Bool { left.text < right.text }
}
