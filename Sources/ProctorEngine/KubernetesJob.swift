public import FoundationEssentials
import ProctorModel

/// A divided run as a manifest of Kubernetes: an Indexed Job (batch/v1) of which each pod is a shard.
public struct KubernetesJob: Sendable {
  private static let reports = "/reports"
  /// proctor's own exit statuses: they are results, and running the shard again would not change them.
  private static let results = Array(1...8)

  private let settings: Configuration.Cluster.Kubernetes
  private let name: String
  private let image: String
  private let shards: Int
  private let arguments: [String]

  /// - Parameters:
  ///   - workspace: its path, after whose last part the job is named.
  ///   - arguments: more of `proctor run`.
  /// - Throws: `EngineError` with code `usage` when it is not said what runs, or how many.
  public init(
    _ settings: Configuration.Cluster.Kubernetes, workspace: String, arguments: [String]
  ) throws(EngineError) {
    guard let image = settings.image else {
      throw EngineError(
        .usage, "no image is named",
        resolution: "Give --image, or set [cluster.kubernetes] image: it must hold proctor, the "
          + "runners and the workspace.")
    }
    guard let shards = settings.shards else {
      throw EngineError(
        .usage, "it is not said how many shards there are",
        resolution: "Give --shards, or set [cluster.kubernetes] shards.")
    }
    self.settings = settings
    self.image = image
    self.shards = shards
    self.arguments = arguments
    let label = workspace.split(separator: "/").last.map(String.init) ?? ""
    name = "proctor-\(Self.label(label))"
  }

  /// As JSON, which `kubectl apply -f -` reads.
  public var manifest: Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return ((try? encoder.encode(job)) ?? Data()) + Data("\n".utf8)
  }

  /// A name by RFC 1123: lower case letters, digits and hyphens, at most 63 with what stands before it.
  private static func label(_ text: String) -> String {
    let plain = text.lowercased().map { character in
      character.isASCII && (character.isLetter || character.isNumber) ? character : "-"
    }
    let label = String(plain.prefix(40)).split(separator: "-").joined(separator: "-")
    return label.isEmpty ? "tests" : label
  }

  private var job: Object {
    var metadata: Object = ["name": .text(name), "labels": ["app.kubernetes.io/name": "proctor"]]
    metadata["namespace"] = settings.namespace.map(Value.text)
    return [
      "apiVersion": "batch/v1", "kind": "Job", "metadata": .object(metadata),
      "spec": [
        "completionMode": "Indexed", "completions": .number(shards),
        "parallelism": .number(min(settings.parallelism ?? shards, shards)),
        "backoffLimitPerIndex": .number(settings.requeues),
        // Shards that fail do not stop the others: only all reports together have a verdict.
        "maxFailedIndexes": .number(shards),
        "podFailurePolicy": [
          "rules": [
            [
              "action": "FailIndex",
              "onExitCodes": ["operator": "In", "values": .list(Self.results.map(Value.number))],
            ],
            [
              "action": "Ignore",
              "onPodConditions": [["type": "DisruptionTarget", "status": "True"]],
            ],
          ]
        ],
        "template": ["spec": .object(pod)],
      ],
    ]
  }

  private var pod: Object {
    var pod: Object = ["restartPolicy": "Never", "containers": [.object(container)]]
    if let claim = settings.claim {
      pod["volumes"] = [
        ["name": "reports", "persistentVolumeClaim": ["claimName": .text(claim)]]
      ]
    }
    return pod
  }

  private var container: Object {
    let run = ["run", "--shard", "auto", "--format", "json", "--details"] + arguments
    var container: Object = [
      "name": "proctor", "image": .text(image),
      "env": [["name": "PROCTOR_SHARDS", "value": .text("\(shards)")]],
    ]
    container["workingDir"] = settings.workspace.map(Value.text)
    if settings.claim == nil {
      container["command"] = ["proctor"]
      container["args"] = .list(run.map(Value.text))
    } else {
      // A report is whole or not there.
      let script = """
        report=\(Self.reports)/shard-$JOB_COMPLETION_INDEX
        proctor "$@" > "$report.part"; status=$?
        [ "$status" -ge 128 ] || mv -f "$report.part" "$report.json" || exit 125
        exit "$status"
        """
      container["command"] = ["/bin/sh", "-c", .text(script), "sh"]
      container["args"] = .list(run.map(Value.text))
      container["volumeMounts"] = [["name": "reports", "mountPath": .text(Self.reports)]]
    }
    var resources: Object = [:]
    resources["cpu"] = settings.cpu.map(Value.text)
    resources["memory"] = settings.memoryMB.map { .text("\($0)Mi") }
    if !resources.isEmpty {
      container["resources"] = ["requests": .object(resources), "limits": .object(resources)]
    }
    return container
  }

  // MARK: a document

  private typealias Object = [String: Value]

  private enum Value: Encodable, ExpressibleByStringLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
  {
    case text(String)
    case number(Int)
    case list([Value])
    case object(Object)

    init(stringLiteral value: String) { self = .text(value) }
    init(arrayLiteral elements: Value...) { self = .list(elements) }
    init(dictionaryLiteral elements: (String, Value)...) {
      self = .object(Dictionary(elements) { first, _ in first })
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .text(let text): try container.encode(text)
      case .number(let number): try container.encode(number)
      case .list(let list): try container.encode(list)
      case .object(let object): try container.encode(object)
      }
    }
  }
}
