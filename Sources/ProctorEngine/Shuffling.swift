import ProctorModel

/// An order of tests that a number stands for: the same on every machine and in every version.
///
/// Files are shuffled, in each of them its suites, in those the tests: what runners set up for a file or a suite stays in one
/// piece, as they run it.
struct Shuffling: Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  func order(_ tests: [TestCase]) -> [TestCase] {
    var generator = self
    return generator.groups(tests) { $0.file ?? "" }.flatMap { file in
      generator.groups(file, by: \.suite).flatMap { generator.shuffled($0) }
    }
  }

  /// In an order of their own; what is in a group keeps its order.
  private mutating func groups(
    _ tests: [TestCase], by key: (TestCase) -> String
  ) -> [[TestCase]] {
    var (names, groups): ([String], [String: [TestCase]]) = ([], [:])
    for test in tests {
      let name = key(test)
      if groups[name] == nil { names.append(name) }
      groups[name, default: []].append(test)
    }
    return shuffled(names).compactMap { groups[$0] }
  }

  /// Fisher and Yates; the standard library does not promise to stay with one algorithm.
  private mutating func shuffled<Item>(_ items: [Item]) -> [Item] {
    var items = items
    for index in items.indices.dropFirst().reversed() {
      items.swapAt(index, Int(next() % UInt64(index + 1)))
    }
    return items
  }

  /// SplitMix64 (Steele, Lea and Flood 2014).
  private mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

extension ProjectOutcome {
  /// Whether the tests were seen to end in this order, each of them once.
  func ran(in order: [TestCase]) -> Bool { finished == order.map(\.id) }

  /// A shuffle is claimed only where it was seen.
  mutating func settle(order: [TestCase]) {
    isShuffled = ran(in: order)
    guard !isShuffled, finished.count == order.count else { return }
    notes.append(
      "\(project.title): its tests ran in another order than the one that was asked for, so that they are not called shuffled"
    )
  }
}
