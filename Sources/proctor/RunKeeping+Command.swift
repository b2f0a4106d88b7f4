import ProctorServer

extension RunKeeping {
  /// Of a command that runs tests.
  /// - Parameter selection: what was asked for; nil for everything.
  init(_ command: CommandCall, selection: String?) {
    self.init(
      workspace: command.workspace ?? ".", options: command.options,
      operation: command.operation, selection: selection
    ) { Console.error("proctor: \($0)") }
  }
}
