public import ProctorEngine
import ProctorHistory
public import ProctorModel
import ProctorStorage

/// Keeps a run once its answer was given: whole, to be looked at, and test by test in the workspace's history.
///
/// The verdict stands, whatever becomes of that.
public struct RunKeeping: Sendable {
  private let workspace: String
  private let options: EngineOptions
  private let operation: String
  private let selection: String?
  private let say: @Sendable (String) -> Void

  /// - Parameters:
  ///   - operation: `run_all_tests` or `run_test`.
  ///   - selection: what was asked for; nil for everything.
  ///   - say: tells the user what could not be kept; any thread.
  public init(
    workspace: String, options: EngineOptions, operation: String, selection: String?,
    say: @escaping @Sendable (String) -> Void
  ) {
    self.workspace = workspace
    self.options = options
    self.operation = operation
    self.selection = selection
    self.say = say
  }

  /// - Parameter named: is told the name by which it can be looked at, as soon as it can; nil when it cannot.
  public func keep(_ report: Report, named: (String?) -> Void = { _ in }) async {
    let name = archive(report)
    named(name)
    await record(report, as: name)
  }

  private func archive(_ report: Report) -> String? {
    do {
      return try RunArchive(workspace: workspace, environment: options.environment)
        .add(report, operation: operation, selection: selection ?? report.shard?.title)
    } catch {
      say("this run is not kept: \(error.message)")
      return nil
    }
  }

  private func record(_ report: Report, as name: String?) async {
    guard report.beginning != nil else { return }
    do {
      let place = try HistoryPlace(workspace: workspace, options: options)
      guard place.isEnabled else { return }
      record(report, of: await place.engine.origin(of: report), as: name)
    } catch {
      say("this run is not in the history: \(error.message)")
    }
  }

  /// Records a run of code that is known, test by test.
  /// - Parameter name: by which it can be looked at; nil when it cannot.
  func record(_ report: Report, of origin: CodeOrigin, as name: String? = nil) {
    guard let beginning = report.beginning else { return }
    do {
      let place = try HistoryPlace(workspace: workspace, options: options)
      guard place.isEnabled else { return }
      let environment = options.environment
      let run = HistoryRun(
        report, key: name ?? RunArchive.name(at: beginning.date), operation: operation,
        selection: selection ?? report.shard?.title, code: origin, machine: Machine.name,
        environment: HistoryRun.Environment(
          os: Machine.system, architecture: Machine.architecture,
          ci: CIEngine.isRunning(environment), tools: Self.tools(report)))
      if let run { try place.history(say: say).record(run, report.tests) }
    } catch let error as EngineError {
      say("this run is not in the history: \(error.message)")
    } catch let error as StorageError {
      say("this run is not in the history: \(error.message)\n\(error.resolution)")
    } catch {
      say("this run is not in the history: \(error)")
    }
  }

  /// Each runner's version; where projects have several, all of them.
  private static func tools(_ report: Report) -> [String: String] {
    let known = report.adapters.compactMap { adapter in
      adapter.version.map { (adapter.project.adapter.rawValue, $0) }
    }
    return Dictionary(grouping: known, by: \.0).mapValues { versions in
      Set(versions.map(\.1)).sorted().joined(separator: ", ")
    }
  }
}
