import FoundationEssentials
import ProctorEngine
import ProctorFormats
import ProctorModel

extension Operation {
  static let verifyPatch = Operation(
    "verify_patch", title: "Does it compile and import?",
    "Says whether the workspace, or a part of it, compiles and imports; no test is run. With a patch it looks at a private copy that the patch was applied to.",
    schema: "check", hints: .runsTests, route: .post("diagnostics"),
    [Parameter("path", .string, "A file or folder. Default: the whole workspace."), .patch],
    failed: { error in
      OperationAnswer(
        json: ContractJSON.check(error.check), text: RunAnswer.text(error), isError: true)
    },
    body: { arguments, context throws(EngineError) in
      let engine = try context.engine()
      let (path, base) = (arguments.string("path"), context.workspace)
      let progress = context.progress()
      let answer: CheckAnswer
      if let patch = arguments.string("patch") {
        answer = try await engine.withCandidate(.patch(name: "patch", Data(patch.utf8))) {
          engine, change throws(EngineError) in
          var answer = try await engine.check(path, base: base, progress: progress)
          answer.change = change
          return answer
        }
      } else {
        answer = try await engine.check(path, base: base, progress: progress)
      }
      return .done(
        OperationAnswer(
          json: context.reader == .model
            ? ContractJSON.check(answer, tokens: AgentReport.defaultTokens)
            : ContractJSON.check(answer),
          text: AgentReport.text(answer, workspace: base)))
    })

  static let sandboxStatus = Operation(
    "sandbox_status", title: "What is in force here",
    "Says which runners and isolations this workspace and this machine have, each tried, and which settings are in force.",
    schema: "status", route: .get("sandbox/status"), [],
    failed: { OperationAnswer(json: nil, text: RunAnswer.text($0), isError: true) },
    body: { _, context throws(EngineError) in
      let status = try await context.engine().status()
      return .done(
        OperationAnswer(
          json: ContractJSON.status(status), text: TextSummary.render(status, style: .plain)))
    })
}
