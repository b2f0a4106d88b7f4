import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorAudit
import ProctorEngine
import ProctorFormats
import ProctorModel

struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Time one function of a file, inside its process, in the sandbox.",
    discussion: """
      The same calls, limits and languages as with exec: many calls in one process, after a warm-up. \
      A benchmark ends by itself before its time limit and says how many calls it made.

      EXAMPLES
        proctor bench src/primes.py first_primes '[400]'
        proctor bench src/primes.py first_primes '[400]' --iterations 50 --timeout 30
        proctor bench src/lib.rs add '[2, 3]' --format json > old.json
        proctor bench src/lib.rs add '[2, 3]' --compare old.json --fail-if-slower
        proctor bench src/lib.rs add '[2, 3]' --baseline HEAD~1

      EXIT STATUS
        0 measured · 1 it failed, or is slower and --fail-if-slower is given
        2 wrong arguments, or no such function · 3 did not build
        5 --fail-if-slower is given, and it cannot be told · 6 not one call ended in time
        7 no sandbox · 8 not confirmed · 130 interrupted
      """)

  @OptionGroup var target: FunctionOptions

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Timed calls, fewer when the time is up. Default: 1000, more for what the clock cannot see alone.",
      valueName: "n"))
  var iterations: Int?

  @Option(
    help: ArgumentHelp(
      "An earlier answer (--format json): say whether it became faster or slower.",
      valueName: "old.json"))
  var compare: String?

  @Option(
    help: ArgumentHelp(
      "A revision of the git repository: time it, too, in turns with the files as they are now.",
      valueName: "ref"))
  var baseline: String?

  @Flag(help: "Exit status 1 when it became slower, 5 when that cannot be told.")
  var failIfSlower = false

  func validate() throws {
    if let iterations, !(1...1_000_000_000).contains(iterations) {
      throw ValidationError("--iterations takes a number from 1 to 1000000000.")
    }
    if compare != nil, baseline != nil {
      throw ValidationError("Give either --compare or --baseline.")
    }
    if failIfSlower, compare == nil, baseline == nil {
      throw ValidationError("--fail-if-slower needs --compare or --baseline.")
    }
  }

  func run() async throws {
    let answer = Answer(format: target.format, kind: .benchmark(failsIfSlower: failIfSlower))
    let (target, iterations, compare, baseline) = (target, iterations, compare, baseline)
    var command = target.command("benchmark")
    command.arguments.add("iterations", iterations)
    command.arguments.add("compare", compare)
    command.arguments.add("baseline", baseline)
    try await answer.give(command) { progress, call throws(EngineError) in
      // Before anything runs: what cannot be compared in the end need not be measured.
      let old = try compare.map { path throws(EngineError) in try Self.earlier(path) }
      let engine = try Engine(workspace: target.workspace, options: target.engineOptions)
      if let refused = await target.refusal(engine, call) {
        return .benchmark(BenchmarkAnswer(refused))
      }
      let base = FileManager.default.currentDirectoryPath
      if let baseline {
        return .benchmark(
          try await engine.benchmark(
            target.function, of: target.path, arguments: target.arguments, iterations: iterations,
            base: base, against: baseline, progress: progress))
      }
      var answer = try await engine.benchmark(
        target.function, of: target.path, arguments: target.arguments, iterations: iterations,
        base: base, progress: progress)
      if let old, let compare, let record = answer.record {
        answer.comparison = BenchmarkComparison(record, with: old, named: compare)
      }
      return .benchmark(answer)
    }
  }

  /// Bytes of an answer that is compared with.
  private static let answerLimit = 256 << 20

  private static func earlier(_ path: String) throws(EngineError) -> BenchmarkRecord {
    func broken(_ why: String) -> EngineError {
      EngineError(
        .usage, "\(path) cannot be compared with: \(why)",
        resolution: "Give a file that `proctor bench ... --format json` has written.")
    }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw broken("it is no file")
    }
    guard status.st_size <= answerLimit else { throw broken("it is too large") }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw broken("it cannot be read")
    }
    do {
      return try ContractJSON.readBenchmark(data)
    } catch {
      throw broken(error.why)
    }
  }
}
