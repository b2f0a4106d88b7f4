import FoundationEssentials
import ProctorModel

/// Understands why a function could not be compiled for a call.
struct SwiftFunctionErrors {
  let call: FunctionCall
  let context: AdapterContext
  let finished: FinishedInvocation

  var failure: FunctionFailure {
    let errors = SwiftBuildErrors(context: context, finished: finished).errors()
    guard finished.invocation.product == SwiftFunctionPlan.callProduct else {
      return build(errors)
    }
    // Nothing of the user's is compiled here, only linked.
    if let wrong = errors.first(where: { $0.location?.file.hasSuffix(SwiftCall.file) == true }) {
      return FunctionFailure(.badArguments, "\(call.function) cannot be called: \(wrong.message)")
    }
    if errors.contains(where: { $0.message.hasPrefix("link error") }),
      finished.invocation.environment[SwiftFunctionPlan.scriptVariable] != nil
    {
      return FunctionFailure(
        .badArguments,
        "\(call.function) cannot be called: it is linked with code that runs at the top level of a "
          + "file, whose variables have their values only when the program runs")
    }
    return build(errors)
  }

  private func build(_ errors: [RunError]) -> FunctionFailure {
    if let first = errors.first {
      return FunctionFailure(.build, first.message, at: first.location)
    }
    let words = String(decoding: (finished.stdout + finished.stderr).suffix(4000), as: UTF8.self)
      .split(separator: "\n").suffix(8).joined(separator: "\n")
    return FunctionFailure(
      .build,
      words.isEmpty ? "\(finished.invocation.title) failed (\(finished.status.text))" : words)
  }
}
