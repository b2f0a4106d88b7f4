import Testing

@testable import ProctorFormats

@Suite struct TimestampTests {
  @Test func `each millisecond is the same when it is read again`() {
    let wrong = (0..<20_000).map { (1_795_000_000_000 + Double($0) * 7) / 1000 }.first {
      Timestamp.seconds(Timestamp.text($0)) != $0
    }
    #expect(wrong == nil)
  }

  @Test func `any year is told`() {
    for (seconds, text) in [
      (0, "1970-01-01T00:00:00.000Z"), (0.001, "1970-01-01T00:00:00.001Z"),
      (951_782_400, "2000-02-29T00:00:00.000Z"), (4_107_542_399.999, "2100-02-28T23:59:59.999Z"),
      (-1, "1969-12-31T23:59:59.000Z"), (253_402_300_799.5, "9999-12-31T23:59:59.500Z"),
    ] {
      #expect(Timestamp.text(seconds) == text)
      #expect(Timestamp.seconds(text) == seconds)
    }
    // What no clock says is no trap.
    #expect([Double.nan, .infinity, -1e300, 1e300].map(Timestamp.text).allSatisfy { !$0.isEmpty })
  }

  @Test func `moments are told to the nearest millisecond`() {
    #expect(Timestamp.text(1_795_319_475.123) == "2026-11-22T03:51:15.123Z")
    #expect(Timestamp.text(1_795_319_475.1236) == "2026-11-22T03:51:15.124Z")
    #expect(Timestamp.text(1_795_319_475.9996) == "2026-11-22T03:51:16.000Z")
    #expect(Timestamp.seconds("2026-11-22T03:51:15.123Z") == 1_795_319_475.123)
    #expect(Timestamp.seconds("yesterday") == nil)
  }
}
