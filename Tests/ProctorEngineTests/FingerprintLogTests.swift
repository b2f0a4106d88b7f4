import Foundation
import Testing

@testable import ProctorEngine

@Suite struct FingerprintLogTests {
  private static func log() -> FingerprintLog {
    FingerprintLog(environment: ["PROCTOR_CACHE_DIR": "\(NSTemporaryDirectory())/proctor-log-test"])
  }

  @Test func `counts names in the order of the files`() throws {
    var log = Self.log()
    log.beginFile()
    for value: UInt64 in [7, 8, 7] { try log.append(value) }
    log.beginFile()
    for value: UInt64 in [9, 7, 0, 0] { try log.append(value) }
    let repeats = try log.finish(wanted: [0, 2, 4, 5, 6])
    #expect(repeats.occurrences == [2: 2, 4: 3, 6: 2])
    #expect(repeats.byFile == [0: 1, 1: 2])
  }

  /// More than are held in memory, and more than are looked at in one go.
  @Test func `the same by way of a file`() throws {
    var log = Self.log()
    log.beginFile()
    let different = 1_100_000
    func value(_ index: Int) -> UInt64 { UInt64(index) &* 0x9e37_79b9_7f4a_7c15 }
    for index in 0..<different { try log.append(value(index)) }
    log.beginFile()
    let again = [3, 700_000, 3, 1_099_999]
    let positions = try again.map { try log.append(value($0)) }
    let repeats = try log.finish(wanted: [0] + positions)
    #expect(repeats.byFile == [1: 4])
    #expect(positions.map { repeats.occurrences[$0] } == [2, 2, 3, 2])
    #expect(repeats.occurrences[0] == nil)
  }

  /// More names that come again than are looked at in one go.
  @Test func `everything twice`() throws {
    var log = Self.log()
    let different = 400_000
    for _ in 0..<2 {
      log.beginFile()
      for index in 0..<different { try log.append(UInt64(index) &* 0x9e37_79b9_7f4a_7c15) }
    }
    let repeats = try log.finish(wanted: [5, different + 5, 2 * different - 1])
    #expect(repeats.byFile == [1: different])
    #expect(repeats.occurrences == [different + 5: 2, 2 * different - 1: 2])
  }
}
