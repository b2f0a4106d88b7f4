import FoundationEssentials

/// Moments as answers give them: `2026-11-22T03:51:15.123Z`.
package enum Timestamp {
  private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

  /// The nearest millisecond: what is written and read again is the same.
  /// - Parameter seconds: since 1970.
  package static func text(_ seconds: Double) -> String {
    // The style cuts off, and a whole millisecond can be a little less than one as a number of seconds.
    let milliseconds = (seconds * 1000).rounded()
    return Date(timeIntervalSince1970: (milliseconds + 0.5) / 1000).formatted(style)
  }

  /// Seconds since 1970; nil when it is none.
  package static func seconds(_ text: String) -> Double? {
    (try? Date(text, strategy: style)).map { ($0.timeIntervalSince1970 * 1000).rounded() / 1000 }
  }

  /// Seconds since 1970; nil when it is none.
  /// - Parameter text: a day, a moment of RFC 3339, or how long ago: `90m`, `2h`, `7d`.
  package static func moment(_ text: String) -> Double? {
    if let unit = text.last, let seconds = ["m": 60.0, "h": 3600, "d": 86_400][unit],
      let count = Double(text.dropLast()), count >= 0, count < 1e6
    {
      return Date().timeIntervalSince1970 - count * seconds
    }
    let date =
      (try? Date(text, strategy: style)) ?? (try? Date(text, strategy: .iso8601))
      ?? (try? Date("\(text)T00:00:00Z", strategy: .iso8601))
    return date?.timeIntervalSince1970
  }
}
