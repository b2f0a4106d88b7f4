/// A function to be timed, as it is named in one word.
public struct BenchmarkRequest: Hashable, Sendable {
  /// As it was given.
  public let name: String
  public let path: String
  public let function: String
  /// JSON text.
  public let arguments: String

  /// - Parameter text: `FILE:FUNCTION`, or `FILE:FUNCTION:ARGUMENTS` with an array or an object.
  /// - Returns: nil when it has no file, or no function.
  public init?(_ text: String) {
    // Names have colons, too (`Shop::total`, `add(_:to:)`), but none before a bracket.
    let start = [":[", ":{"].compactMap { text.firstRange(of: $0)?.lowerBound }.min()
    let subject = text[..<(start ?? text.endIndex)]
    guard let colon = subject.firstIndex(of: ":") else { return nil }
    name = text
    path = String(subject[..<colon])
    function = String(subject[subject.index(after: colon)...])
    arguments = start.map { String(text[text.index(after: $0)...]) } ?? "[]"
    guard !path.isEmpty, !function.isEmpty else { return nil }
  }
}
