import Dispatch
import ProctorFormats
import ProctorModel

/// Follows the shards of one run on a Slurm to their end: what was lost with a node is submitted again.
struct SlurmRun {
  /// Where one shard is.
  fileprivate struct Placed {
    var job: String
    var submissions: Int
    /// The last that Slurm said of it.
    var state: Slurm.TaskState?
    /// Since when it is over without a report.
    var overSince: ContinuousClock.Instant?
    var part: ReportMerge.Part?
    /// Why no report of it will come.
    var lost: String?

    var isDone: Bool { part != nil || lost != nil }
  }

  /// Reports travel over network file systems, which show new files late.
  private static let grace = Duration.seconds(5)
  /// A controller that is restarted answers again within this time.
  private static let silence = Duration.seconds(300)
  /// Until the tasks of a cancelled run are gone.
  private static let ending = Duration.seconds(60)

  private let slurm: Slurm
  private let folder: ClusterFolder
  private let plan: ShardPlan
  private let workspace: String
  private let script: String
  private let requeues: Int
  private let arrived: (Report) -> Void
  private let note: (String) -> Void
  private var tasks: [Int: Placed] = [:]
  private let clock = ContinuousClock()

  /// - Parameters:
  ///   - script: runs the shard of `SLURM_ARRAY_TASK_ID` and leaves its report in the folder.
  ///   - arrived: gets each report.
  ///   - note: tells what happens, in a line.
  init(
    _ slurm: Slurm, folder: ClusterFolder, plan: ShardPlan, workspace: String, script: String,
    requeues: Int, arrived: @escaping (Report) -> Void, note: @escaping (String) -> Void
  ) {
    self.slurm = slurm
    self.folder = folder
    self.plan = plan
    self.workspace = workspace
    self.script = script
    self.requeues = requeues
    self.arrived = arrived
    self.note = note
  }

  /// - Returns: the reports, and why others are not there.
  /// - Throws: `EngineError` when Slurm takes no job, does not answer any more, or when the task is cancelled; then no
  ///   task of the run goes on.
  mutating func run() async throws(EngineError) -> (parts: [ReportMerge.Part], lost: [Int: String])
  {
    do {
      try submit(Array(1...plan.count))
      try await follow()
    } catch {
      await end()
      throw error
    }
    return (
      tasks.sorted { $0.key < $1.key }.compactMap(\.value.part), tasks.compactMapValues(\.lost)
    )
  }

  private mutating func submit(_ shards: [Int]) throws(EngineError) {
    let job = try slurm.submit(shards, script: script, in: workspace)
    note("Slurm has job \(job): \(shards.count == 1 ? "shard" : "shards") \(Slurm.ranges(shards))")
    for shard in shards {
      let before = tasks[shard]?.submissions ?? 0
      tasks[shard] = Placed(job: job, submissions: before + 1)
    }
  }

  private mutating func follow() async throws(EngineError) {
    let begin = clock.now
    var answered = begin
    while tasks.values.contains(where: { !$0.isDone }) {
      // Often at first, then seldom: one controller serves everybody.
      let pause = min(10, 1 + (clock.now - begin).milliseconds / 60_000)
      try? await Task.sleep(for: .seconds(pause))
      guard !Task.isCancelled else {
        throw EngineError(
          .interrupted, "the run on Slurm was interrupted",
          resolution: "Its jobs were cancelled and its files removed; run it again.")
      }
      let states = slurm.states()
      if states != nil { answered = clock.now }
      guard clock.now - answered < Self.silence else {
        throw EngineError(
          .busy, "Slurm has not answered for \(Self.silence.components.seconds) seconds",
          resolution: "See what squeue says; cancel with scancel --name=\(slurm.name).")
      }
      collect()
      if let states { try settle(states) }
    }
  }

  /// Takes the reports that have come.
  private mutating func collect() {
    for (shard, task) in tasks.sorted(by: { $0.key < $1.key }) where !task.isDone {
      guard let part = folder.part(of: shard, plan: plan.digest), let report = part.piece?.report
      else { continue }
      tasks[shard]?.part = part
      arrived(report)
      note("shard \(shard) of \(plan.count): \(report.verdict.status.rawValue)\(task.place)")
    }
  }

  /// Looks after the shards that are over and have left no report.
  private mutating func settle(_ states: [String: Slurm.TaskState]) throws(EngineError) {
    var again: [Int] = []
    for (shard, task) in tasks.sorted(by: { $0.key < $1.key }) where !task.isDone {
      let state = states["\(task.job)_\(shard)"]
      tasks[shard]?.state = state ?? task.state
      guard state?.isOver ?? true else {
        tasks[shard]?.overSince = nil
        continue
      }
      let since = task.overSince ?? clock.now
      tasks[shard]?.overSince = since
      guard state?.isLost == true || clock.now - since >= Self.grace else { continue }
      let how = "\(tasks[shard]?.state?.word ?? "gone")\(tasks[shard]?.place ?? "")"
      if state?.isFinal == true || task.submissions > requeues {
        let times = task.submissions == 1 ? "" : " after \(task.submissions) submissions"
        tasks[shard]?.lost = "Slurm: \(how)\(times)"
        note("shard \(shard) of \(plan.count) is lost: \(how)\(times)")
      } else {
        note("shard \(shard) of \(plan.count) left no report (\(how)) and is submitted again")
        again.append(shard)
      }
    }
    if !again.isEmpty { try submit(again) }
  }

  /// Cancels what is left, and waits until it is gone.
  private func end() async {
    let until = clock.now + Self.ending
    // A controller that does not answer now may do so in a moment.
    while clock.now < until {
      let isCancelled = slurm.cancel()
      if let states = slurm.states(), isCancelled, states.values.allSatisfy(\.isOver) { return }
      await Self.pause()
    }
    note("Slurm still has tasks of this run: scancel --name=\(slurm.name)")
  }

  /// Half a second, also where everything is cancelled.
  private static func pause() async {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().asyncAfter(deadline: .now() + 0.5) { continuation.resume() }
    }
  }
}

extension SlurmRun.Placed {
  fileprivate var place: String {
    state.map { $0.node.isEmpty ? "" : " on \($0.node)" } ?? ""
  }
}
