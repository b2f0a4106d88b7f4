import ProctorFormats

/// A compiled `--filter`.
public struct Pattern: Sendable {
  public let source: String
  private let expression: RegularExpression

  /// - Throws: `EngineError` with the position when the pattern is invalid.
  public init(_ source: String) throws(EngineError) {
    self.source = source
    do {
      expression = try RegularExpression(source)
    } catch {
      throw Self.explain(error, source)
    }
  }

  /// - Throws: `EngineError` when the pattern is too expensive for this name.
  public func matches(_ name: String) throws(EngineError) -> Bool {
    do {
      return try expression.matches(name)
    } catch {
      throw EngineError(
        .usage,
        "the filter \(source) is too expensive to match on the test name \(name.prefix(80))",
        resolution: "Write the filter without nested repetitions such as (a+)+.")
    }
  }

  private static func explain(
    _ problem: RegularExpression.Problem, _ source: String
  ) -> EngineError {
    guard case .invalid(let position, let message) = problem else {
      return EngineError(.usage, "the filter \(source) cannot be used", resolution: "Simplify it.")
    }
    let pointer = String(repeating: " ", count: position) + "^"
    return EngineError(
      .usage, "invalid regex at position \(position + 1): \(message)\n  \(source)\n  \(pointer)",
      resolution: "Quote the pattern for the shell and escape literal ( ) [ ] { } . + * ? with \\.")
  }
}
