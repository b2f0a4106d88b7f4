import ArgumentParser
import Glibc
import ProctorEngine
import ProctorSelfTest

/// The command line: parse, call the engine, render, exit code.
@main
struct Proctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "proctor",
    abstract: "One trustworthy verdict on any repository's tests.",
    discussion: """
      Finds cargo test, pytest, jest and swift test in a workspace, runs them in a sandbox and \
      accounts for every test: what did not run is never green.

      EXAMPLES
        proctor run                            run every test below this folder
        proctor run --filter 'auth.*token'     only tests whose full name matches
        proctor test src/lib.rs                the tests of one file
        proctor list --format json             what would run, as JSON
        proctor bisect-order test_login        which test makes this one fail
        proctor merge reports/                 reports of several machines as one
        proctor cluster slurm                  the tests on many machines at once
        proctor gate                           may this change be merged
        proctor check                          does it compile and import
        proctor exec src/sum.py total '[1, 2]' call one function
        proctor bench src/sum.py total '[1, 2]' time it
        proctor eval -l py --code 'sum([1, 2])' run a piece of code
        proctor validate src/plugin.py         judge code, nothing run
        proctor ingest reports/                read reports of other tools
        proctor report --html page.html        the last runs as a page to look at
        proctor lint-report junit.xml          what platforms would lose of a report
        proctor status                         what this machine and workspace offer
        proctor selftest                       attack this machine's sandbox
        proctor mcp                            serve this workspace to an agent
        proctor serve                          serve it over HTTP
        proctor audit                          what was called, by whom, with what result
        proctor history test_login             what became of a test, run by run
        proctor slowest                        the tests that take longest
        proctor flaky                          the tests that passed and failed on the same code

      EXIT STATUS
        0 passed · 1 a test failed · 2 wrong usage or configuration · 3 did not build or collect
        4 no test matched · 5 no verdict · 6 timed out · 7 no sandbox · 8 not confirmed
        130 interrupted
      """,
    version: ProctorVersion.text,
    // Each says its name itself: making one out of a type's name costs every start a tenth of a millisecond.
    subcommands: [
      Run.self, Test.self, List.self, BisectOrder.self, Ingest.self, Merge.self, GateCommand.self,
      Cluster.self, Check.self, Compare.self, Exec.self, Eval.self,
      Bench.self, Validate.self, ReportCommand.self, LintReport.self, Status.self,
      SelfTestCommand.self, MCP.self, Serve.self, Audit.self, HistoryCommand.self, Slowest.self,
      Flaky.self,
      WarmHelper.self,
    ])

  static func main() async {
    Probe.runIfAsked(CommandLine.arguments)
    // A reader that goes away (`proctor run | head`) must not kill the clean-up.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let status as ExitCode {
      Glibc.exit(status.rawValue)
    } catch {
      let status = exitCode(for: error)
      guard status != .success else { exit(withError: error) }
      Console.error(fullMessage(for: error))
      Glibc.exit(ProctorExit.usage.rawValue)
    }
  }
}
