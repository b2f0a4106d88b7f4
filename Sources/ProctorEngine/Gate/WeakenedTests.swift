import FoundationEssentials
import ProctorModel

/// Finds tests of changed files that assert less than before.
struct WeakenedTests {
  private let files: [String: ChangedFile]
  private let base: GateSide
  private let head: GateSide
  private let starts: (base: [String: [Int]], head: [String: [Int]])

  init(files: [ChangedFile], base: GateSide, head: GateSide) {
    self.files = Dictionary(files.map { ($0.path, $0) }) { first, _ in first }
    self.base = base
    self.head = head
    starts = (Self.starts(base), Self.starts(head))
  }

  /// Lines at which tests start, by file.
  private static func starts(_ side: GateSide) -> [String: [Int]] {
    side.tests.reduce(into: [:]) { result, test in
      if let file = test.file, let line = test.line { result[file, default: []].append(line) }
    }
  }

  func list() -> [GateChange.Weakened] {
    let pairs = pairs()
    let byTest = pairs.compactMap(weakened)
    let told = Set(pairs.compactMap(\.now.file))
    let byFile = files.values.compactMap { file in
      told.contains(file.path) ? nil : weakened(file)
    }
    return (byTest + byFile).sorted { ($0.file, $0.line ?? 0) < ($1.file, $1.line ?? 0) }
  }

  private struct Pair {
    let old: GateTest
    let now: GateTest
  }

  private struct Start: Hashable {
    let file: String
    let line: Int
  }

  /// Tests of changed files whose lines are known on both sides, of those that start at one line the first.
  private func pairs() -> [Pair] {
    let before = Dictionary(base.tests.map { ($0.id, $0) }) { first, _ in first }
    let present = Set(head.tests.map(\.id))
    let moved = GateMoves(
      gone: base.tests.filter { !present.contains($0.id) },
      new: head.tests.filter { before[$0.id] == nil }
    ).from
    var seen: Set<Start> = []
    return head.tests.compactMap { now in
      guard let old = before[now.id] ?? moved[now.id].flatMap({ before[$0] }),
        let file = now.file, let line = now.line, old.line != nil, let oldFile = old.file,
        files[file] != nil || files[oldFile] != nil,
        seen.insert(Start(file: file, line: line)).inserted
      else { return nil }
      return Pair(old: old, now: now)
    }
  }

  private func weakened(_ pair: Pair) -> GateChange.Weakened? {
    guard let file = pair.now.file,
      let before = count(pair.old, starts.base, \.before),
      let after = count(pair.now, starts.head, \.after),
      after < before
    else { return nil }
    return GateChange.Weakened(
      test: pair.now.id, file: file, line: pair.now.line, before: before, after: after)
  }

  private func count(
    _ test: GateTest, _ starts: [String: [Int]], _ content: (ChangedFile) -> Data?
  ) -> Int? {
    guard let file = test.file, let line = test.line, let data = files[file].flatMap(content),
      let counter = AssertionCounter(file: file, text: String(decoding: data, as: UTF8.self))
    else { return nil }
    return counter.count(from: line, upTo: starts[file]?.filter { $0 > line }.min())
  }

  /// Of a file of tests as a whole, where nobody says at which lines they are.
  private func weakened(_ file: ChangedFile) -> GateChange.Weakened? {
    guard let old = file.before, let now = file.after,
      base.tests.contains(where: { $0.file == file.path && $0.line == nil }),
      let before = AssertionCounter(file: file.path, text: String(decoding: old, as: UTF8.self)),
      let after = AssertionCounter(file: file.path, text: String(decoding: now, as: UTF8.self)),
      after.all < before.all
    else { return nil }
    return GateChange.Weakened(
      test: nil, file: file.path, line: nil, before: before.all, after: after.all)
  }
}
