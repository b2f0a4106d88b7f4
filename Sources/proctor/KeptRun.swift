import FoundationEssentials
import ProctorEngine
import ProctorModel

/// Keeps a run to be looked at later. The verdict stands, whatever becomes of that.
struct KeptRun: Sendable {
  let workspace: String
  let operation: String
  /// What was asked for; nil for everything.
  let selection: String?

  func keep(_ report: Report) {
    let environment = ProcessInfo.processInfo.environment
    do throws(EngineError) {
      try RunArchive(workspace: workspace, environment: environment)
        .add(report, operation: operation, selection: selection)
    } catch {
      Console.error("proctor: this run is not kept: \(error.message)")
    }
  }
}
