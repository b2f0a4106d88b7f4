import FoundationEssentials
import ProctorModel
import ProctorSandbox

/// An existing Slurm, by its own commands (tried with 22.05).
struct Slurm: Sendable {
  /// What Slurm says of one task of an array.
  struct TaskState: Sendable {
    /// `PENDING`, `RUNNING`, `NODE_FAIL`...
    let word: String
    /// Where it runs or ran; empty for nowhere.
    let node: String

    /// It is over as far as Slurm knows.
    var isOver: Bool { !Self.active.contains(word) }
    /// It would end in the same way again, or somebody meant it to end.
    var isFinal: Bool { ["TIMEOUT", "OUT_OF_MEMORY", "DEADLINE", "CANCELLED"].contains(word) }

    /// Nothing comes from there any more.
    var isLost: Bool { ["NODE_FAIL", "BOOT_FAIL"].contains(word) }

    /// squeue(1), JOB STATE CODES.
    private static let active: Set<String> = [
      "PENDING", "RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "STOPPED", "REQUEUED",
      "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD", "RESIZING", "SIGNALING", "SPECIAL_EXIT",
      "STAGE_OUT",
    ]
  }

  /// Seconds for one command.
  private static let patience = 60.0

  /// Of all jobs of one run: nobody else's are followed or cancelled.
  let name: String
  private let settings: Configuration.Cluster.Slurm
  private let host: LocalHost
  private let programs: [String: String]

  /// - Throws: `EngineError` with code `usage` when Slurm's commands are not installed.
  init(
    _ settings: Configuration.Cluster.Slurm, host: LocalHost
  ) throws(EngineError) {
    self.settings = settings
    self.host = host
    name = "proctor-\(RunFolder.nonce().prefix(12))"
    var programs: [String: String] = [:]
    for tool in ["sbatch", "squeue", "scancel"] {
      guard let path = host.executable(named: tool), let real = FileSystem.realPath(path),
        !real.hasPrefix(host.workspace + "/"), !path.hasPrefix(host.workspace + "/")
      else {
        throw EngineError(
          .usage, "\(tool) is not on PATH, which submitting to Slurm needs",
          resolution: "Run this where jobs are submitted from, or install slurm-client.")
      }
      programs[tool] = path
    }
    self.programs = programs
  }

  /// Submits shards as one array job; each task is the shard of its number.
  /// - Parameter script: for the shell.
  /// - Returns: the number of the job.
  /// - Throws: `EngineError` with code `usage` in sbatch's own words when it takes no such job.
  func submit(_ shards: [Int], script: String, in folder: String) throws(EngineError) -> String {
    let options: [(String, String?)] = [
      ("--partition", settings.partition), ("--account", settings.account),
      ("--time", settings.time), ("--mem", settings.memoryMB.map { "\($0)M" }),
      ("--cpus-per-task", settings.cpus.map(String.init)),
    ]
    // What is lost is submitted again by proctor, which counts how often.
    let answer = run(
      "sbatch",
      [
        "--parsable", "--job-name=\(name)", "--array=\(Self.ranges(shards))", "--no-requeue",
        "--nodes=1", "--ntasks=1", "--output=/dev/null", "--error=/dev/null", "--chdir=\(folder)",
      ] + options.compactMap { name, value in value.map { "\(name)=\($0)" } } + settings.options
        + ["--wrap", script])
    // With several clusters the answer is NUMBER;CLUSTER.
    let job = answer.stdout.prefix { $0 != ";" && !$0.isNewline }
    guard answer.isSuccess, !job.isEmpty, job.allSatisfy(\.isNumber) else {
      throw EngineError(
        .usage, "Slurm took no job: \(answer.stderr.lastLine ?? "sbatch did not answer")",
        resolution: "Correct [cluster.slurm] in \(Configuration.fileName), or the options.")
    }
    return String(job)
  }

  /// By job and task; nil when Slurm does not answer. What is over for some minutes is not in it any more.
  func states() -> [String: TaskState]? {
    let answer = run(
      "squeue", ["--noheader", "--array", "--states=all", "--name=\(name)", "--format=%F_%K|%T|%N"])
    guard answer.isSuccess else { return nil }
    let pairs = answer.stdout.split(whereSeparator: \.isNewline).compactMap { line in
      let parts = line.split(separator: "|", omittingEmptySubsequences: false).map {
        $0.trimmingSpaces
      }
      return parts.count == 3 ? (parts[0], TaskState(word: parts[1], node: parts[2])) : nil
    }
    return Dictionary(pairs) { first, _ in first }
  }

  /// Ends all tasks of this run; false when Slurm does not answer.
  func cancel() -> Bool { run("scancel", ["--quiet", "--name=\(name)"]).isSuccess }

  private func run(_ tool: String, _ arguments: [String]) -> HostCommand.Answer {
    // What narrows down other listings must not hide a task of this run.
    let environment = host.environment.filter { name, _ in
      !["SQUEUE_", "SCANCEL_"].contains(where: name.hasPrefix)
    }
    return HostCommand(
      [programs[tool] ?? tool] + arguments, environment: environment, seconds: Self.patience,
      outputLimit: 64 << 20
    ).run()
  }

  /// `1-4,7`: arguments of programs are limited in length.
  static func ranges(_ numbers: [Int]) -> String {
    var ranges: [ClosedRange<Int>] = []
    for number in numbers.sorted() {
      if let last = ranges.last, last.upperBound + 1 == number {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
      .joined(separator: ",")
  }
}

extension String {
  fileprivate var lastLine: String? {
    split(whereSeparator: \.isNewline).last.map(String.init)
  }
}

extension Substring {
  fileprivate var trimmingSpaces: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
