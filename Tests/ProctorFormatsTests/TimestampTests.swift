import Testing

@testable import ProctorFormats

@Suite struct TimestampTests {
  @Test func `each millisecond is the same when it is read again`() {
    let wrong = (0..<20_000).map { (1_795_000_000_000 + Double($0) * 7) / 1000 }.first {
      Timestamp.seconds(Timestamp.text($0)) != $0
    }
    #expect(wrong == nil)
  }

  @Test func `moments are told to the nearest millisecond`() {
    #expect(Timestamp.text(1_795_319_475.123) == "2026-11-22T03:51:15.123Z")
    #expect(Timestamp.text(1_795_319_475.1236) == "2026-11-22T03:51:15.124Z")
    #expect(Timestamp.text(1_795_319_475.9996) == "2026-11-22T03:51:16.000Z")
    #expect(Timestamp.seconds("2026-11-22T03:51:15.123Z") == 1_795_319_475.123)
    #expect(Timestamp.seconds("yesterday") == nil)
  }
}
