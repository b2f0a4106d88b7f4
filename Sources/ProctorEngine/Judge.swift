import FoundationEssentials
import ProctorModel
import ProctorSandbox
import Synchronization

/// Has ast-grep match the rules against code, inside the sandbox: it reads what anybody may have written.
struct Judge: Sendable {
  /// The program, absolute.
  let program: String
  let backend: SandboxPolicy.Backend
  /// An existing private folder.
  let folder: String

  /// For one start of the program: what was done before a limit was met is kept.
  private static let filesAtOnce = 400
  /// Wall-clock seconds for one start of the program, and more for each megabyte of code.
  private static let secondsAtLeast = 10.0
  private static let secondsPerMB = 2.0
  /// For all starts together; what was not examined by then is not.
  private static let secondsAllowed = 120.0
  /// Matches kept of one start of the program.
  private static let matchLimit = 100_000

  struct Verdict: Sendable {
    var matches: [(source: Int, match: RuleMatch)] = []
    /// Sources that could not be examined to their end.
    var unfinished: [Int] = []
    var isInterrupted = false

    static func + (one: Verdict, other: Verdict) -> Verdict {
      Verdict(
        matches: one.matches + other.matches, unfinished: one.unfinished + other.unfinished,
        isInterrupted: one.isInterrupted || other.isInterrupted)
    }
  }

  /// - Throws: `EngineError` when the sandbox cannot be had, or the program does not work at all.
  func matches(in sources: [ValidationSource]) async throws(EngineError) -> Verdict {
    let deadline = ContinuousClock.now + .seconds(Self.secondsAllowed)
    // The program looks at no file that is empty.
    let indices = sources.indices.filter { !sources[$0].text.isEmpty }
    var verdict = Verdict()
    for start in stride(from: 0, to: indices.count, by: Self.filesAtOnce) {
      let batch = indices[start..<min(start + Self.filesAtOnce, indices.count)]
      verdict = verdict + (try await matches(in: sources, batch, until: deadline))
      if verdict.isInterrupted { break }
    }
    return verdict
  }

  /// What one file does to the program is no other file's fault: halves are tried alone.
  private func matches(
    in sources: [ValidationSource], _ numbers: ArraySlice<Int>,
    until deadline: ContinuousClock.Instant
  ) async throws(EngineError) -> Verdict {
    guard !numbers.isEmpty else { return Verdict() }
    guard deadline > .now else { return Verdict(unfinished: Array(numbers)) }
    let place = "\(folder)/\(RunFolder.nonce().prefix(8))"
    defer { FileSystem.removeTree(place) }
    try lay(sources, numbers, in: place)
    let collector = MatchCollector(limit: Self.matchLimit)
    let size = numbers.reduce(0) { $0 + sources[$1].text.count }
    let result = try await run(in: place, limits: Self.limits(size: size), collector)
    if case .cancelled = result.ending { return Verdict(isInterrupted: true) }
    let seen = collector.seen
    if seen.isUnreadable || result.isRefusal { throw Self.broken(seen.complaints.lastLines(3)) }
    let matches = seen.matches.compactMap { match in Self.number(match.file).map { ($0, match) } }
    if result.isOrderly, !seen.isCut, seen.scanned == numbers.count {
      return Verdict(matches: matches)
    }
    guard numbers.count > 1 else { return Verdict(matches: matches, unfinished: Array(numbers)) }
    let middle = numbers.startIndex + numbers.count / 2
    let first = try await self.matches(in: sources, numbers[..<middle], until: deadline)
    if first.isInterrupted { return first }
    return first + (try await self.matches(in: sources, numbers[middle...], until: deadline))
  }

  // MARK: one start of the program

  private static let codeFolder = "code"
  private static let rulesFile = "rules.yml"

  /// Files under names of proctor's own: what a hostile name or an ignore file says counts for nothing.
  private func lay(
    _ sources: [ValidationSource], _ numbers: ArraySlice<Int>, in place: String
  ) throws(EngineError) {
    try FileSystem.makeFolder("\(place)/\(Self.codeFolder)")
    try FileSystem.makeFolder("\(place)/scratch")
    for number in numbers {
      let source = sources[number]
      try FileSystem.write(
        source.text, to: "\(place)/\(Self.codeFolder)/\(number).\(source.syntax.endings[0])")
    }
    let syntaxes = Set(numbers.map { sources[$0].syntax }).sorted { $0.rawValue < $1.rawValue }
    try FileSystem.write(
      Data(syntaxes.map(\.rules).joined(separator: "\n---\n").utf8),
      to: "\(place)/\(Self.rulesFile)")
  }

  private static func number(_ file: String) -> Int? {
    let name = file.split(separator: "/").last ?? ""
    return Int(name.prefix { $0 != "." })
  }

  private static func limits(size: Int) -> ResourceLimits {
    let seconds = secondsAtLeast + secondsPerMB * Double(size >> 20)
    return ResourceLimits(
      wallSeconds: min(seconds, secondsAllowed), cpuSeconds: 4 * seconds, memoryMB: 1024,
      processes: 64, scratchMB: 16, outputMB: 256)
  }

  private func run(
    in place: String, limits: ResourceLimits, _ collector: MatchCollector
  ) async throws(EngineError) -> SandboxResult {
    let command = SandboxCommand(
      argv: [
        program, "scan", "--rule", "\(place)/\(Self.rulesFile)", "--json=stream",
        "--include-metadata", "--inspect", "summary", "--color", "never",
        "\(place)/\(Self.codeFolder)",
      ],
      environment: [
        "PATH": "/usr/bin:/bin", "HOME": InvocationRunner.home, "LANG": "C.UTF-8", "TERM": "dumb",
      ],
      directory: place)
    let policy = SandboxPolicy(
      backend: backend, workspace: place, access: .readOnly, network: .none,
      mounts: [.readOnly(program)], limits: limits, home: InvocationRunner.home,
      scratch: "\(place)/scratch")
    do {
      return try await Sandbox().run(command, policy: policy) { collector.receive($0) }
    } catch {
      throw EngineError(sandbox: error)
    }
  }

  private static func broken(_ words: String) -> EngineError {
    EngineError(
      .sandbox, "ast-grep does not work: \(words)",
      resolution: "Install the version that proctor is tested with: \(AstGrep.installation).")
  }
}

extension SandboxResult {
  /// It came to its end; 1 is for findings.
  fileprivate var isOrderly: Bool {
    ending == .exited && [.exited(0), .exited(1)].contains(status)
  }

  /// It ended of itself because of what it was asked, not of what it read.
  fileprivate var isRefusal: Bool {
    ending == .exited && !isOrderly && status.impliedSignal == nil && status != .exited(101)
  }
}

/// Takes ast-grep's output, a match a line. Called from the supervising thread only, read after it.
private final class MatchCollector: Sendable {
  struct Seen {
    var matches: [RuleMatch] = []
    /// There were more than are kept.
    var isCut = false
    /// A line is no match as it should be.
    var isUnreadable = false
    var rest = Data()
    var complaints = BoundedCapture(limit: 1 << 16)

    /// How many files it says it looked at, none left out; nil when it does not say so.
    var scanned: Int? {
      let words = String(decoding: complaints.data, as: UTF8.self)
      guard let start = words.firstRange(of: "scannedFileCount=")?.upperBound else { return nil }
      let count = words[start...].prefix { $0.isNumber }
      return words[count.endIndex...].hasPrefix(",skippedFileCount=0\n") ? Int(count) : nil
    }
  }

  private let state = Mutex(Seen())
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  var seen: Seen { state.withLock { $0 } }

  func receive(_ event: SandboxEvent) {
    switch event {
    case .stdout(let data): state.withLock { take(data, &$0) }
    case .stderr(let data): state.withLock { $0.complaints.append(data) }
    case .channel, .stopping, .usage: break
    }
  }

  private func take(_ data: Data, _ seen: inout Seen) {
    seen.rest.append(data)
    guard let end = seen.rest.lastIndex(of: UInt8(ascii: "\n")) else { return }
    for line in seen.rest[..<end].split(separator: UInt8(ascii: "\n")) {
      guard let match = try? JSONDecoder().decode(RuleMatch.self, from: line) else {
        seen.isUnreadable = true
        continue
      }
      if seen.matches.count < limit { seen.matches.append(match) } else { seen.isCut = true }
    }
    seen.rest = Data(seen.rest[seen.rest.index(after: end)...])
  }
}
