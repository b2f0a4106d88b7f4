public import ArgumentParser
import ProctorAudit
import ProctorEngine
public import ProctorModel

extension FlakyPolicy: ExpressibleByArgument {}

/// How often tests run, and what it means when they do not always end alike.
struct RerunOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Run failed tests again, exactly those, up to so often. Errors outside tests are not healed.",
      valueName: "n"))
  var retries: Int?

  @Option(
    help: ArgumentHelp(
      "What a test means that failed and then passed: fail, warn (passed, and said loudly) or pass. Default: warn.",
      valueName: "policy"))
  var flaky: FlakyPolicy?

  @Option(
    name: .customLong("repeat"),
    help: ArgumentHelp("Run everything so often; each test must pass each time.", valueName: "n"))
  var repetitions: Int?

  @Flag(
    help: "Run again until a test fails: at most --repeat times, and as long as --timeout allows.")
  var untilFail = false

  func validate() throws {
    if let retries, !(0...100).contains(retries) {
      throw ValidationError("--retries takes a number from 0 to 100.")
    }
    if let repetitions, !(1...10_000).contains(repetitions) {
      throw ValidationError("--repeat takes a number from 1 to 10000.")
    }
    if retries ?? 0 > 0, repetitions != nil || untilFail {
      throw ValidationError(
        "--retries forgives a failure and --repeat and --until-fail look for one: use one of them.")
    }
  }

  func add(to options: inout EngineOptions) {
    options.retries = retries
    options.flaky = flaky
    if repetitions != nil || untilFail {
      options.repetition = Repetition(most: repetitions, untilFailure: untilFail)
    }
  }

  /// What is on record of them.
  func add(to arguments: inout AuditArguments) {
    arguments.add("retries", retries)
    arguments.add("flaky", flaky?.rawValue)
    arguments.add("repeat", repetitions)
    arguments.add("until_fail", flag: untilFail)
  }
}
