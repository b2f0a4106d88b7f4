import ProctorEngine
import ProctorModel

extension OperationContext {
  /// Keeps a run to be looked at later, and in the workspace's history.
  /// - Parameters:
  ///   - selection: what was asked for; empty for everything.
  ///   - named: is told its name once it can be looked at; nil when it cannot, which changes nothing about it.
  func keep(
    _ report: Report, _ kind: Run.Kind, _ selection: [String], named: (String?) -> Void
  ) async {
    await RunKeeping(
      workspace: workspace, options: options, operation: kind.rawValue,
      selection: selection.isEmpty ? nil : selection.joined(separator: " "), say: say
    ).keep(report, named: named)
  }
}
