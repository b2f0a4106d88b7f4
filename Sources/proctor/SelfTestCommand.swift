import ArgumentParser
import FoundationEssentials
import ProctorAudit
import ProctorEngine
import ProctorFormats
import ProctorModel

struct SelfTestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "selftest",
    abstract: "Attack this machine's sandbox; every attack also runs once without it.",
    discussion: """
      Each attack tries one thing that tests must not be able to do. It counts only where it succeeds \
      without the sandbox. None does harm where it succeeds. The exit status is 1 when one got through.

      EXAMPLES
        proctor selftest
        proctor selftest --isolation bubblewrap --format json
        proctor selftest --isolation docker --image python:3
        proctor selftest --isolation vm           the runtimes of functions, inside the sandbox
      """)

  @Option(
    help: "auto, namespaces, bubblewrap, docker, wasm, vm, or none (everything gets through).")
  var isolation = Configuration.Isolation.auto

  @Option(help: "The image for --isolation docker.")
  var image: String?

  @OptionGroup var common: CommonOptions

  func run() async throws {
    let answer = Answer(format: common.settledFormat, kind: .selfTest)
    let (isolation, image) = (isolation, image)
    let program = try CommandLine.executable
    var command = CommandCall("selftest", in: nil, common)
    command.arguments.add("isolation", isolation.rawValue)
    command.arguments.add("image", image)
    try await answer.give(command) { progress, _ throws(EngineError) in
      .selfTest(
        try await SandboxAttacks.run(
          isolation: isolation, image: image, program: program,
          environment: ProcessInfo.processInfo.environment
        ) { progress(.attacked($0)) })
    }
  }
}

extension CommandLine {
  /// This program's own file.
  fileprivate static var executable: String {
    get throws {
      guard let path = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      else { throw ValidationError("proctor's own file cannot be found: is /proc mounted?") }
      return path
    }
  }
}
