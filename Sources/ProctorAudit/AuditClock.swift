import FoundationEssentials
import ProctorFormats

/// Moments as the trail writes them: RFC 3339, UTC, milliseconds, so that their order is that of their texts.
enum AuditClock {
  static var now: String { text(Date()) }

  static func text(_ date: Date) -> String { Timestamp.text(date.timeIntervalSince1970) }

  static func date(_ text: String) -> Date? {
    Timestamp.seconds(text).map(Date.init(timeIntervalSince1970:))
  }

  /// - Parameter text: a day, a moment of RFC 3339, or how long ago: `90m`, `2h`, `7d`.
  static func moment(_ text: String) -> Date? {
    Timestamp.moment(text).map(Date.init(timeIntervalSince1970:))
  }
}
