import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorAudit
import ProctorEngine
import ProctorModel
import ProctorServer

struct Cluster: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cluster",
    abstract: "Run the tests on a cluster, divided into shards, with one verdict.",
    subcommands: [SlurmCommand.self, KubernetesCommand.self])
}

struct SlurmCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "slurm",
    abstract:
      "Submit the tests to an existing Slurm as one array job, and follow it to its verdict.",
    discussion: """
      The tests are listed and divided here; every task runs its shard of that plan. What is lost with a node is \
      submitted again. The workspace and the output folder must be at the same place on every node. Ctrl-C cancels the \
      job.

      EXAMPLES
        proctor cluster slurm --shards 8 --output /shared/results
        proctor cluster slurm . --shards 8 --output out --partition test --time 30 --memory 2048
        proctor cluster slurm --output out --durations last.json --sbatch-option=--qos=high

      EXIT STATUS
        as of proctor run; 5 when a shard is missing
      """)

  @Argument(help: "The workspace.")
  var directory = "."

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "A new or empty folder for the plan, the reports and the logs of the shards, which every node sees.",
      valueName: "folder"))
  var output: String

  @Option(help: ArgumentHelp("Tasks of the array.", valueName: "n"))
  var shards: Int?

  @Option(
    help: ArgumentHelp("Only tests whose full name matches (PCRE2, anywhere).", valueName: "regex"))
  var filter: String?

  @Option(
    help: ArgumentHelp(
      "Balance by what tests took: an earlier report (--format json --details), what proctor history export wrote, "
        + "history, or none. Default: the workspace's history, where it has one.",
      valueName: "file|history|none"))
  var durations: DurationSource?

  @Option(help: ArgumentHelp("Slurm's partition.", valueName: "name"))
  var partition: String?

  @Option(help: ArgumentHelp("Slurm's account.", valueName: "name"))
  var account: String?

  @Option(help: ArgumentHelp("Each task's limit in Slurm's words: 30, 1:30:00.", valueName: "time"))
  var time: String?

  @Option(help: ArgumentHelp("Megabytes for each task.", valueName: "mb"))
  var memory: Int?

  @Option(help: ArgumentHelp("Processors for each task.", valueName: "n"))
  var cpus: Int?

  @Option(
    help: ArgumentHelp(
      "How often a shard that was lost is submitted again. Default: 2.", valueName: "n"))
  var requeues: Int?

  @Option(
    name: .customLong("sbatch-option"),
    help: ArgumentHelp("One more option of sbatch; can be repeated.", valueName: "--name=value"))
  var sbatchOptions: [String] = []

  @Option(
    help: ArgumentHelp("proctor on the nodes. Default: where it is here.", valueName: "path"))
  var program: String?

  @Flag(help: "In JSON, also list every test, not only the failed ones.")
  var details = false

  @OptionGroup var run: RunOptions
  @OptionGroup var tests: TestOptions
  @OptionGroup var reports: ReportOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    try checkAtLeastOne(shards, of: "--shards", most: Shard.most)
    try checkAtLeastOne(memory, of: "--memory", most: 1_048_576)
    try checkAtLeastOne(cpus, of: "--cpus", most: 65_536)
    if let requeues, !(0...100 ~= requeues) {
      throw ValidationError("--requeues takes a number from 0 to 100.")
    }
    if tests.keepWrites {
      throw ValidationError("--keep-writes is not for tests that run on many machines.")
    }
    if let option = sbatchOptions.first(where: { !$0.hasPrefix("-") }) {
      throw ValidationError("--sbatch-option takes an option as --name=value, not \(option).")
    }
    guard !output.isEmpty else { throw ValidationError("--output takes the name of a folder.") }
  }

  func run() async throws {
    let format = common.settledFormat
    let answer = Answer(format: format, kind: .run(details: details))
    var command = CommandCall("cluster_slurm", in: directory, common, tests.engineOptions(run))
    command.arguments.add("filter", filter)
    command.arguments.add("shards", shards)
    command.arguments.add("output", output)
    command.arguments.add("durations", durations?.description)
    command.arguments.add("sbatch_options", sbatchOptions)
    tests.add(to: &command.arguments, run)
    reports.add(to: &command.arguments)
    let files = try reports.files(beside: common)
    let kept = RunKeeping(command, as: "run_all_tests", selection: filter)
    let body: Answer.Body = { progress, _ throws(EngineError) in
      let selector: TestSelector =
        if let filter { .matching(try Pattern(filter)) } else { .everything }
      let engine = try Engine(workspace: directory, options: tests.engineOptions(run))
      let say = { @Sendable (line: String) in
        if format == .text { Console.error("proctor: \(line)") }
      }
      let (request, note) = try request(engine)
      if let note { say(note) }
      var report = try await engine.runOnSlurm(selector, request, progress: progress, note: say)
      if let note { report.notes.append(note) }
      return .report(report)
    }
    try await answer.give(command, body, reports: files, afterwards: { await kept.keep($0) })
  }

  /// What is asked for, and what else is to be known about it.
  private func request(
    _ engine: Engine
  ) throws(EngineError) -> (request: ClusterRequest, note: String?) {
    var settings = engine.configuration.cluster.slurm
    settings.partition = partition ?? settings.partition
    settings.account = account ?? settings.account
    settings.time = time ?? settings.time
    settings.memoryMB = memory ?? settings.memoryMB
    settings.cpus = cpus ?? settings.cpus
    settings.requeues = requeues ?? settings.requeues
    settings.options += sbatchOptions
    guard let count = shards ?? settings.shards else {
      throw EngineError(
        .usage, "it is not said how many shards there are",
        resolution: "Give --shards, or set [cluster.slurm] shards.")
    }
    let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    var request = ClusterRequest(
      settings: settings, shards: count, output: CommandCall.absolute(output),
      program: program ?? own ?? "proctor")
    request.arguments = run.arguments + tests.arguments
    let options = tests.engineOptions(run)
    guard let durations else {
      let (known, note) = DurationSource.known(in: directory, options)
      request.durations = known
      return (request, note)
    }
    request.durations = try durations.durations(in: directory, options)
    return (request, nil)
  }
}

struct KubernetesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kubernetes",
    abstract: "Print the tests as an Indexed Job of Kubernetes, each pod a shard.",
    discussion: """
      The manifest is JSON, which kubectl reads. Every pod lists the tests and divides them in the same way; proctor \
      merge proves that it did.

      EXAMPLES
        proctor cluster kubernetes --print --image registry.example/app-tests --shards 8 | kubectl apply -f -
        proctor cluster kubernetes --print --durations /src/history.ndjson
      """)

  @Argument(help: "The workspace, for its proctor.toml and its name.")
  var directory = "."

  @Flag(help: "Print the manifest; kubectl submits it.")
  var print = false

  @Option(
    help: ArgumentHelp("Holds proctor, the runners and the workspace.", valueName: "image"))
  var image: String?

  @Option(help: ArgumentHelp("Pods, each a shard.", valueName: "n"))
  var shards: Int?

  @Option(
    help: ArgumentHelp(
      "A persistent volume claim for the reports. Default: they are the pods' logs.",
      valueName: "name"))
  var claim: String?

  @Option(
    help: ArgumentHelp("Only tests whose full name matches (PCRE2, anywhere).", valueName: "regex"))
  var filter: String?

  @Option(
    help: ArgumentHelp(
      "Balance by what tests took: a report or an exported history, as a path in the image. Every pod divides the tests "
        + "itself, so all must have the same file.", valueName: "file"))
  var durations: DurationSource?

  @OptionGroup var run: RunOptions
  @OptionGroup var tests: TestOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    try checkAtLeastOne(shards, of: "--shards", most: Shard.most)
    if case .history = durations {
      throw ValidationError(
        "Pods share no history: have proctor history export write a file of the image, and name that."
      )
    }
    guard print else {
      throw ValidationError("proctor submits no jobs to Kubernetes: give --print, for kubectl.")
    }
  }

  func run() async throws {
    let answer = Answer(format: common.format ?? .text, kind: .run(details: false))
    var command = CommandCall("cluster_kubernetes", in: directory, common, run.engineOptions)
    command.arguments.add("image", image)
    command.arguments.add("shards", shards)
    command.arguments.add("filter", filter)
    command.arguments.add("durations", durations?.description)
    try await answer.give(command) { _, _ throws(EngineError) in
      let engine = try Engine(workspace: directory, options: run.engineOptions)
      if let filter { _ = try Pattern(filter) }
      var settings = engine.configuration.cluster.kubernetes
      settings.image = image ?? settings.image
      settings.shards = shards ?? settings.shards
      settings.claim = claim ?? settings.claim
      let job = try KubernetesJob(
        settings, workspace: engine.workspace,
        arguments: (filter.map { ["--filter", $0] } ?? [])
          + (durations.map { ["--durations", $0.description] } ?? []) + run.arguments
          + tests.arguments)
      return .printed(stdout: job.manifest, status: ProctorExit.passed.rawValue, outcome: nil)
    }
  }
}

/// - Throws: `ValidationError` for what is no number from 1.
private func checkAtLeastOne(_ number: Int?, of option: String, most: Int) throws {
  if let number, !(1...most ~= number) {
    throw ValidationError("\(option) takes a number from 1 to \(most).")
  }
}

extension RunOptions {
  /// As they are given to proctor on another machine.
  fileprivate var arguments: [String] {
    let values: [(String, String?)] = [
      ("--isolation", isolation?.rawValue), ("--timeout", timeout.map { "\($0)" }),
      ("--jobs", jobs.map { "\($0)" }),
    ]
    return values.flatMap { name, value in value.map { [name, $0] } ?? [] }
      + (fetch ? ["--fetch"] : [])
  }
}

extension TestOptions {
  fileprivate var arguments: [String] {
    (testTimeout.map { ["--test-timeout", "\($0)"] } ?? []) + (paranoid ? ["--paranoid"] : [])
  }
}
