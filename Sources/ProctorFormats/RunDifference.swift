public import ProctorModel

/// What can make a run of the same tests look better without any of them being mended.
public struct RunDifference: Sendable {
  /// Skipped now and not before, in listing order.
  public let newlySkipped: [TestID]
  /// There before and not now, sorted.
  public let gone: [TestID]

  /// - Parameter old: what the run before found, of the same selection.
  public init(from old: [TestID: Outcome], to report: Report) {
    newlySkipped = report.tests.filter { test in
      test.outcome == .skipped && old[test.test.id].map { $0 != .skipped } ?? false
    }.map(\.test.id)
    let ids = Set(report.tests.map(\.test.id) + report.missing.map(\.id))
    gone = old.keys.filter { !ids.contains($0) }.sorted()
  }

  /// As many as answers list, and how many more there are; nil for none.
  static func listed(_ ids: [TestID]?) -> (shown: [String]?, omitted: Int?) {
    let ids = ids ?? []
    return (
      ids.prefix(mostListed).map(\.text).nonEmpty,
      ids.count > mostListed ? ids.count - mostListed : nil
    )
  }

  private static let mostListed = 10
}
