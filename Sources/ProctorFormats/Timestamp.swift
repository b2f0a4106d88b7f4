import FoundationEssentials
import Glibc

/// Moments as answers give them: `2026-11-22T03:51:15.123Z`.
package enum Timestamp {
  private static let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

  /// The nearest millisecond: what is written and read again is the same.
  /// - Parameter seconds: since 1970.
  package static func text(_ seconds: Double) -> String {
    let milliseconds = (seconds * 1000).rounded()
    guard (0..<253_402_300_800_000).contains(milliseconds) else {
      // Before 1970 or after 9999. The style cuts off, and a whole millisecond can be a little less than one as a
      // number of seconds.
      return Date(timeIntervalSince1970: (milliseconds + 0.5) / 1000).formatted(style)
    }
    // Most of a call's records would be waiting for the style's calendar and time zones to be set up.
    let (whole, rest) = Int(milliseconds).quotientAndRemainder(dividingBy: 1000)
    var (time, parts) = (time_t(whole), tm())
    gmtime_r(&time, &parts)
    func padded(_ number: some BinaryInteger, _ width: Int = 2) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
    return "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
      + "T\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec)).\(padded(rest, 3))Z"
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
