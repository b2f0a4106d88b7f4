import FoundationEssentials

/// Moments as answers give them: `2026-11-22T03:51:15.123Z`.
enum Timestamp {
  private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

  /// - Parameter seconds: since 1970.
  static func text(_ seconds: Double) -> String {
    Date(timeIntervalSince1970: seconds).formatted(style)
  }

  /// Seconds since 1970; nil when it is none.
  static func seconds(_ text: String) -> Double? {
    (try? Date(text, strategy: style))?.timeIntervalSince1970
  }
}
