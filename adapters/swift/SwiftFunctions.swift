public import ProctorModel

/// Functions of Swift packages and of files alone: what `@testable import` shows is called from a library
/// that is linked with the module's own objects. Nothing is added to the user's files.
extension SwiftTestAdapter: FunctionAdapter {
  public var language: String { "Swift" }
  public var functionExtensions: [String] { ["swift"] }
  public var functionRuntimes: Set<FunctionRuntime> { [.native] }
  public var timedRuntimes: Set<FunctionRuntime> { functionRuntimes }
  public var timedBuild: String? { SwiftPlan.Configuration.release.rawValue }

  public func plan(
    _ call: FunctionCall, _ context: AdapterContext
  ) throws(FunctionFailure) -> FunctionPlan {
    let package = SwiftPlan(
      context: context, configuration: call.timing == nil ? .debug : .release)
    return try SwiftFunctionPlan(
      call: call, unit: SwiftUnit(file: call.file, package: package)
    ).plan()
  }

  public func failure(
    of build: FinishedInvocation, _ call: FunctionCall, _ context: AdapterContext
  ) -> FunctionFailure {
    SwiftFunctionErrors(call: call, context: context, finished: build).failure
  }
}
