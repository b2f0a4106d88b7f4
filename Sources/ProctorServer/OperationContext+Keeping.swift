import ProctorEngine
import ProctorModel

extension OperationContext {
  /// Keeps a run to be looked at later, and in the workspace's history.
  /// - Parameter selection: what was asked for; empty for everything.
  /// - Returns: its name; nil when it is not kept, which changes nothing about it.
  func keep(_ report: Report, _ kind: Run.Kind, _ selection: [String]) async -> String? {
    await RunKeeping(
      workspace: workspace, options: options, operation: kind.rawValue,
      selection: selection.isEmpty ? nil : selection.joined(separator: " "), say: say
    ).keep(report)
  }
}
