import FoundationEssentials
import ProctorEngine
import ProctorFormats
import ProctorModel

extension Operation {
  static let gate = Operation(
    "gate", title: "May this merge?",
    "Runs the tests of the workspace as it is (head) and of where its change began (base), and classifies each: new failure, known failure, fixed, flaky, removed, newly skipped, new. Says whether the change may be merged by the policy of base's proctor.toml. It takes as long as running all tests, twice where base is not known.",
    schema: "gate", hints: .runsTests, route: .post("gate"),
    [
      Parameter(
        "base", .string,
        "What the change is to be merged into: a branch or another revision. Default: the branch that CI names, else the main one."
      ),
      Parameter(
        "head", .string, "A revision to judge instead of the files as they are."),
      .testTimeout,
    ],
    failed: { error in
      OperationAnswer(
        json: ContractJSON.gate(failed: error.report), text: RunAnswer.text(error), isError: true)
    },
    body: { arguments, context throws(EngineError) in
      var context = context
      context.options.testTimeoutSeconds = arguments.seconds("test_timeout")
      // Reports are no arguments here: whoever is judged could write them.
      var request = GateRequest()
      request.base = arguments.string("base")
      request.head = arguments.string("head")
      request.memory = try GateHistory(
        workspace: context.workspace, options: context.options, say: context.say)
      let answer = try await context.engine().gate(request, progress: context.progress())
      return .done(
        OperationAnswer(
          json: context.reader == .model
            ? ContractJSON.gate(answer, tokens: AgentReport.defaultTokens)
            : ContractJSON.gate(answer, details: true),
          text: AgentReport.text(answer)))
    })
}
