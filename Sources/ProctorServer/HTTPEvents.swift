import FoundationEssentials
import HTTPTypes
import Hummingbird
import ProctorModel

/// An answer that comes piece by piece, as server-sent events.
enum HTTPEvents {
  private static let pause = Duration.milliseconds(500)
  /// Pauses without an event after which a sign of life is sent.
  private static let silence = 20
  /// Events that a client has not read yet.
  private static let mostWaiting = 1000
  /// Ended tests that one event tells of.
  private static let most = 500

  /// One event; the data has no line ends, which JSON on one line has not.
  static func event(_ name: String, _ data: Data) -> ByteBuffer {
    ByteBuffer(bytes: Data("event: \(name)\ndata: ".utf8) + data + Data("\n\n".utf8))
  }

  /// - Parameter body: sends events; it is cancelled when the client goes away.
  static func response(
    _ call: HTTPCall,
    _ body: @escaping @Sendable (@escaping @Sendable (ByteBuffer) -> Void) async -> Void
  ) -> Response {
    let (events, sending) = AsyncStream.makeStream(
      of: ByteBuffer.self, bufferingPolicy: .bufferingOldest(mostWaiting))
    return Response(
      status: .ok,
      headers: [
        .contentType: "text/event-stream", .cacheControl: "no-store", .connection: "close",
      ],
      body: ResponseBody { writer in
        // The writer stays in this task; the work has one of its own.
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            defer { sending.finish() }
            try await call.unlessAbandoned {
              await body { event in
                // Who does not read hears no more.
                if case .dropped = sending.yield(event) { sending.finish() }
              }
            }
          }
          for await event in events { try await writer.write(event) }
          try await group.waitForAll()
        }
        try await writer.finish(nil)
      })
  }

  /// Tells how far a call is until the task is cancelled.
  static func follow(
    _ feed: ProgressFeed, since begun: ContinuousClock.Instant,
    _ send: @Sendable (ByteBuffer) -> Void
  ) async {
    var told = 0
    var last: RunProgress.Now?
    var quiet = 0
    while true {
      let (now, ended) = (feed.now, feed.ended(after: told))
      for start in stride(from: ended.startIndex, to: ended.endIndex, by: most) {
        let rows = ended[start..<min(start + most, ended.endIndex)].map(row)
        send(event("test", JSONValue.array(rows).data))
      }
      told += ended.count
      if let now, now != last {
        send(event("progress", state(now, begun.duration(to: .now) / .milliseconds(1)).data))
        (last, quiet) = (now, 0)
      } else {
        quiet += 1
        if quiet % silence == 0 { send(ByteBuffer(string: ": \n\n")) }
      }
      if Task.isCancelled { return }
      try? await Task.sleep(for: pause)
    }
  }

  private static func state(_ now: RunProgress.Now, _ elapsedMS: Double) -> JSONValue {
    [
      "done": .int(now.done), "total": now.total.map { .int($0) }, "passed": .int(now.passed),
      "failed": .int(now.failed), "skipped": .int(now.skipped),
      "doing": now.doing.map { .string($0) }, "execution_time_ms": .number(elapsedMS.rounded()),
    ]
  }

  private static func row(_ test: RunProgress.Ended) -> JSONValue {
    [
      "id": .string(test.id.text), "test": .string(test.name),
      "file": test.file.map { .string($0) },
      "outcome": .string(test.outcome.rawValue), "duration_ms": test.durationMS.map { .number($0) },
    ]
  }
}
