import FoundationEssentials
import ProctorModel

/// The command lines of a described runner.
struct ManifestPlan {
  let manifest: AdapterManifest
  let context: AdapterContext

  /// What commands keep from run to run.
  var kept: String { "\(context.cache)/kept" }

  private static let argumentLimit = 100 * 1024

  /// A step that reports by its exit status and output.
  func step(
    _ purpose: Invocation.Purpose, _ title: String, _ command: [String]
  ) -> Invocation {
    Invocation(
      purpose: purpose, title: title, argv: fill(command), environment: environment,
      directory: context.projectDirectory, mounts: mounts, files: helpers,
      writesWorkspace: purpose == .fetch)
  }

  /// A step whose report is handed over by the relay.
  /// - Parameter report: the files to read; nil for stdout.
  func reporting(
    _ purpose: Invocation.Purpose, _ title: String, _ command: [String], report: [String]?,
    cases: [TestCase]? = nil
  ) -> Invocation {
    let relay = ["/bin/sh", "\(Invocation.filesPlaceholder)/relay.sh"]
    let mode = report.map { ["FILES"] + fill($0) } ?? ["STDOUT"]
    return Invocation(
      purpose: purpose, title: title, argv: relay + mode + ["--"] + fill(command),
      environment: environment, directory: context.projectDirectory, channel: .frames,
      mounts: mounts,
      files: helpers.merging(["relay.sh": Data(PackageResources.relay_sh)]) { $1 }, cases: cases)
  }

  /// The command that runs exactly these tests.
  func selecting(_ cases: [TestCase], _ select: AdapterManifest.Select) -> [String] {
    let tests = cases.map { test in
      let parts = [
        "{name}": test.name, "{suite}": test.suite, "{id}": test.nativeID,
        "{file}": localFile(test), "{full}": test.fullName,
      ]
      let quoted = parts.mapValues { select.regex == true ? Self.quoted($0) : $0 }
      return quoted.reduce(select.test) { $0.replacing($1.key, with: $1.value) }
    }
    return select.command.flatMap { argument -> [String] in
      guard argument.contains("{tests}") else { return [argument] }
      if let join = select.join {
        return [argument.replacing("{tests}", with: tests.joined(separator: join))]
      }
      return tests.map { argument.replacing("{tests}", with: $0) }
    }
  }

  /// Selections short enough for one command line.
  func chunks(_ cases: [TestCase]) -> [[TestCase]] {
    var result: [[TestCase]] = [[]]
    var size = 0
    for test in cases {
      size += (test.fullName.utf8.count + test.nativeID.utf8.count) * 2 + 16
      if size > Self.argumentLimit {
        result.append([])
        size = test.fullName.utf8.count * 2
      }
      result[result.count - 1].append(test)
    }
    return result
  }

  private func localFile(_ test: TestCase) -> String {
    guard let file = test.file else { return "" }
    let root = context.project.root
    return root != "." && file.hasPrefix(root + "/") ? String(file.dropFirst(root.count + 1)) : file
  }

  private static func quoted(_ text: String) -> String {
    text.map { "\\^$.|?*+()[]{}/".contains($0) ? "\\\($0)" : String($0) }.joined()
  }

  // MARK: placeholders

  private func fill(_ arguments: [String]) -> [String] {
    arguments.flatMap { argument -> [String] in
      argument == "{args}" ? context.settings.arguments : [fill(argument)]
    }
  }

  private func fill(_ text: String) -> String {
    text.replacing("{tool}", with: context.toolchain.main)
      .replacing("{out}", with: Invocation.outputPlaceholder)
      .replacing("{files}", with: Invocation.filesPlaceholder)
      .replacing("{cache}", with: kept)
      .replacing("{home}", with: context.toolchain.tools["home"] ?? "")
      .replacing("{project}", with: context.projectDirectory)
  }

  private var helpers: [String: Data] {
    (manifest.files ?? [:]).mapValues { Data($0.utf8) }
  }

  private var environment: [String: String] {
    var result = (manifest.environment?.set ?? [:]).mapValues(fill)
    for (name, folder) in manifest.environment?.caches ?? [:] {
      result[name] = "\(kept)/\(folder)"
    }
    return result
  }

  private var mounts: [Invocation.Mount] { [.writable(kept)] }
}
