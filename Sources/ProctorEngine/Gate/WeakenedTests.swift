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
    let told = Set(pairs.flatMap { [$0.now.file, $0.old.file].compactMap(\.self) })
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

  /// Tests of changed files of which head says where they start, of those that start at one line the first.
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
        let file = now.file, let line = now.line, let oldFile = old.file,
        files[file] != nil || files[oldFile] != nil,
        seen.insert(Start(file: file, line: line)).inserted
      else { return nil }
      return Pair(old: old, now: now)
    }
  }

  private func weakened(_ pair: Pair) -> GateChange.Weakened? {
    guard let file = pair.now.file, let line = pair.now.line, let oldFile = pair.old.file,
      let now = text(file, \.after), let old = text(oldFile, \.before),
      let oldLine = pair.old.line ?? Self.start(of: pair.now, at: line, in: now, before: old),
      let before = count(oldFile, old, from: oldLine, starts.base),
      let after = count(file, now, from: line, starts.head), after < before
    else { return nil }
    return GateChange.Weakened(
      test: pair.now.id, file: file, line: line, before: before, after: after)
  }

  private func text(_ file: String, _ content: (ChangedFile) -> Data?) -> String? {
    files[file].flatMap(content).map { String(decoding: $0, as: UTF8.self) }
  }

  private func count(
    _ file: String, _ text: String, from line: Int, _ starts: [String: [Int]]
  ) -> Int? {
    AssertionCounter(file: file, text: text)?
      .count(from: line, upTo: starts[file]?.filter { $0 > line }.min())
  }

  /// Lines between a test's start and its name: decorators.
  private static let mostDecorators = 20

  /// Where a test starts in a text of which nobody says it: at the line by which it is defined in the other one.
  private static func start(
    of test: GateTest, at line: Int, in now: String, before: String
  ) -> Int? {
    let name = test.name.prefix { $0 != "[" }
    let definition = now.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .dropFirst(line - 1).prefix(mostDecorators).first { $0.contains(name) }
    guard let definition else { return nil }
    let lines = before.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    return lines.firstIndex(of: definition).map { $0 + 1 }
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
