import ProctorServer

extension RunKeeping {
  /// Of a command that runs tests.
  /// - Parameters:
  ///   - operation: what the run is listed as; nil for the command's own name.
  ///   - selection: what was asked for; nil for everything.
  init(_ command: CommandCall, as operation: String? = nil, selection: String?) {
    self.init(
      workspace: command.workspace ?? ".", options: command.options,
      operation: operation ?? command.operation, selection: selection
    ) { Console.error("proctor: \($0)") }
  }
}
