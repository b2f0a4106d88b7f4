import ProctorModel
import TOMLKit

extension Configuration {
  /// `[cluster]`: what is asked of clusters that run shards. Flags of `proctor cluster` win.
  public struct Cluster: Sendable, Hashable {
    /// `[cluster.slurm]`.
    public struct Slurm: Sendable, Hashable {
      /// Tasks of the array; nil: must be given.
      public var shards: Int?
      public var partition: String?
      public var account: String?
      /// A task's limit in Slurm's words: `30`, `1:30:00`, `2-0`.
      public var time: String?
      /// Megabytes (2^20 bytes) for each task.
      public var memoryMB: Int?
      /// Processors for each task.
      public var cpus: Int?
      /// How often a shard that was lost with its node is submitted again.
      public var requeues = 2
      /// More options of sbatch.
      public var options: [String] = []

      /// Of sbatch's options, those that a workspace may set: where a task runs, and nothing about what runs, as whom,
      /// or which files it writes. (sbatch of Slurm 22.05; names are the same since 17.11.)
      static let harmlessOptions: Set<String> = [
        "--constraint", "--cluster-constraint", "--cores-per-socket", "--exclude", "--exclusive",
        "--gpus", "--gres", "--licenses", "--nice", "--nodelist", "--oversubscribe", "--prefer",
        "--priority", "--qos", "--reservation", "--sockets-per-node", "--threads-per-core", "--tmp",
        "--wckey",
      ]
    }

    /// `[cluster.kubernetes]`.
    public struct Kubernetes: Sendable, Hashable {
      public var shards: Int?
      public var image: String?
      public var namespace: String?
      /// Pods at the same time; nil: all.
      public var parallelism: Int?
      /// A quantity: `2`, `500m`.
      public var cpu: String?
      /// Megabytes (2^20 bytes) for each pod.
      public var memoryMB: Int?
      /// How often a shard that was lost with its pod runs again.
      public var requeues = 2
      /// A persistent volume claim that reports are written to; nil: they are the pods' logs.
      public var claim: String?
      /// The workspace's folder in the image; nil: the image's own working directory.
      public var workspace: String?
    }

    public var slurm = Slurm()
    public var kubernetes = Kubernetes()
  }
}

extension ConfigurationReader {
  func cluster(_ table: TOMLTable) throws(EngineError) -> Configuration.Cluster {
    var result = Configuration.Cluster()
    for (key, value) in table {
      switch key {
      case "slurm": result.slurm = try slurm(try section(value, "cluster.slurm"))
      case "kubernetes":
        result.kubernetes = try kubernetes(try section(value, "cluster.kubernetes"))
      default: throw unknown(key, in: ["cluster"], known: ["slurm", "kubernetes"])
      }
    }
    return result
  }

  private func slurm(_ table: TOMLTable) throws(EngineError) -> Configuration.Cluster.Slurm {
    var result = Configuration.Cluster.Slurm()
    let at = ["cluster", "slurm"]
    for (key, value) in table {
      switch key {
      case "shards": result.shards = try integer(value, key, at, 1...Shard.most)
      case "partition": result.partition = try word(value, key, at, also: "_-.,")
      case "account": result.account = try word(value, key, at, also: "_-.@")
      case "time": result.time = try word(value, key, at, also: ":-")
      case "memory_mb": result.memoryMB = try integer(value, key, at, 1...1_048_576)
      case "cpus": result.cpus = try integer(value, key, at, 1...65_536)
      case "requeues": result.requeues = try integer(value, key, at, 0...100)
      case "options":
        result.options = try strings(value, key, at)
        let names = result.options.map { String($0.prefix { $0 != "=" }) }
        guard names.allSatisfy(Configuration.Cluster.Slurm.harmlessOptions.contains) else {
          let known = Configuration.Cluster.Slurm.harmlessOptions.sorted()
          throw wrong(
            key, at,
            "a list of options of sbatch that a workspace may set, as --name=value: "
              + known.joined(separator: ", ") + "; others can be given with --sbatch-option")
        }
      default:
        throw unknown(
          key, in: at,
          known: [
            "shards", "partition", "account", "time", "memory_mb", "cpus", "requeues", "options",
          ])
      }
    }
    return result
  }

  private func kubernetes(
    _ table: TOMLTable
  ) throws(EngineError) -> Configuration.Cluster.Kubernetes {
    var result = Configuration.Cluster.Kubernetes()
    let at = ["cluster", "kubernetes"]
    for (key, value) in table {
      switch key {
      case "shards": result.shards = try integer(value, key, at, 1...Shard.most)
      case "image": result.image = try string(value, key, at)
      case "namespace": result.namespace = try word(value, key, at, also: "-")
      case "parallelism": result.parallelism = try integer(value, key, at, 1...Shard.most)
      case "cpu": result.cpu = try word(value, key, at, also: ".")
      case "memory_mb": result.memoryMB = try integer(value, key, at, 1...1_048_576)
      case "requeues": result.requeues = try integer(value, key, at, 0...100)
      case "claim": result.claim = try word(value, key, at, also: "-.")
      case "workspace": result.workspace = try string(value, key, at)
      default:
        throw unknown(
          key, in: at,
          known: [
            "shards", "image", "namespace", "parallelism", "cpu", "memory_mb", "requeues", "claim",
            "workspace",
          ])
      }
    }
    return result
  }

  /// ASCII letters and digits, and some more characters, none of them first.
  private func word(
    _ value: any TOMLValueConvertible, _ key: String, _ at: [String], also: String
  ) throws(EngineError) -> String {
    let text = try string(value, key, at)
    func isPlain(_ character: Character) -> Bool {
      character.isASCII && (character.isLetter || character.isNumber)
    }
    guard text.first.map(isPlain) == true, text.allSatisfy({ isPlain($0) || also.contains($0) })
    else { throw wrong(key, at, "made of letters, digits and any of \(also)") }
    return text
  }
}
