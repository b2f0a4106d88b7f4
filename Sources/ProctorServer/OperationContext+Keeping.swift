import ProctorEngine
import ProctorModel

extension OperationContext {
  /// Keeps a run to be looked at later.
  /// - Parameter selection: what was asked for; empty for everything.
  /// - Returns: its name; nil when it is not kept, which changes nothing about it.
  func keep(_ report: Report, _ kind: Run.Kind, _ selection: [String]) -> String? {
    let archive = try? RunArchive(workspace: workspace, environment: options.environment)
    return try? archive?.add(
      report, operation: kind.rawValue,
      selection: selection.isEmpty ? nil : selection.joined(separator: " "))
  }
}
