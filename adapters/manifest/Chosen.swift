import ProctorModel

/// Which of the reported tests are the chosen ones.
///
/// Several tests of one name are told apart by their order. When as many were reported as were chosen,
/// the others did not run; otherwise all of them ran.
struct Chosen {
  private let isEverything: Bool
  private let ids: Set<TestID>
  private let counts: [String: Int]
  private var reported: [String: Int] = [:]
  private var queues: [String: [TestCase]] = [:]

  init(_ wanted: [TestCase]?) {
    isEverything = wanted == nil
    ids = Set((wanted ?? []).map(\.id))
    counts = Dictionary((wanted ?? []).map { ($0.fullName, 1) }, uniquingKeysWith: +)
    queues = Dictionary(grouping: wanted ?? [], by: \.fullName)
  }

  /// Every reported test is counted before the first is taken.
  mutating func count(_ test: TestCase) { reported[test.fullName, default: 0] += 1 }

  /// The chosen test that a reported one is; nil when it was not chosen.
  mutating func take(_ test: TestCase) -> TestCase? {
    if isEverything { return test }
    guard reported[test.fullName] == counts[test.fullName] else {
      return ids.contains(test.id) ? test : nil
    }
    guard let next = queues[test.fullName]?.first else { return nil }
    queues[test.fullName]?.removeFirst()
    return next
  }
}
