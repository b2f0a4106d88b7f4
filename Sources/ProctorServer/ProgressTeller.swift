import FoundationEssentials

/// Turns how far a call is into notifications: at most two a second, each with a higher number than the last.
struct ProgressTeller: Sendable {
  private static let pause = Duration.milliseconds(500)
  /// Clients take a long silence for the end.
  private static let silence = Duration.seconds(5)

  let token: JSONValue
  let send: @Sendable (JSONValue) -> Void

  /// Until the task is cancelled.
  func tell(_ feed: ProgressFeed) async {
    var last: RunProgress.Now?
    var told = ContinuousClock.now
    /// Notifications since a test ended: between two tests there is something to tell, too.
    var step = 0
    while true {
      try? await Task.sleep(for: Self.pause)
      guard !Task.isCancelled else { return }
      guard let now = feed.now,
        now != last || ContinuousClock.now - told >= Self.silence
      else { continue }
      step = last.map { $0.done < now.done } ?? true ? 0 : step + 1
      send(notification(now, Double(now.done) + Double(step) / Double(step + 1)))
      (last, told) = (now, ContinuousClock.now)
    }
  }

  private func notification(_ now: RunProgress.Now, _ value: Double) -> JSONValue {
    // Nothing is past its end, which runners may know of too late.
    let total = now.total.flatMap { Double($0) >= value ? JSONValue.int($0) : nil }
    return [
      "method": "notifications/progress",
      "params": [
        "progressToken": token, "progress": .number(value), "total": total,
        "message": .string(now.sentence),
      ],
    ]
  }
}
