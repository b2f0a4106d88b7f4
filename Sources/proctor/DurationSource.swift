import ArgumentParser
import ProctorEngine
import ProctorHistory
import ProctorModel
import ProctorServer
import ProctorStorage

/// What `--durations` takes: where it is known from how long tests take.
enum DurationSource: ExpressibleByArgument, CustomStringConvertible {
  /// All tests count the same.
  case none
  /// The workspace's history on this machine.
  case history
  /// A report with details, or an exported history.
  case file(String)

  init(argument: String) {
    switch argument {
    case "none": self = .none
    case "history": self = .history
    default: self = .file(argument)
    }
  }

  var description: String {
    switch self {
    case .none: "none"
    case .history: "history"
    case .file(let file): file
    }
  }

  /// Milliseconds that tests take.
  /// - Throws: `EngineError` with code `usage` for what does not know of any test, `storage` for a history that cannot be
  ///   read.
  func durations(
    in workspace: String, _ options: EngineOptions
  ) throws(EngineError) -> [TestID: Double] {
    switch self {
    case .none: return [:]
    case .file(let file) where !History.isExport(file): return try ReportReader.durations(in: file)
    case .history:
      let known = try Self.history(of: workspace, options)
      return try Self.checked(
        known, "the history of \(workspace)",
        "Run the tests once, or bring a history with proctor history import; without --durations "
          + "all tests count the same.")
    case .file(let file):
      return try Self.checked(
        try Self.exported(file), "the exported history \(file)", "Export one that has runs.")
    }
  }

  /// Where nothing was asked for and the tests are divided once: by the history, as far as there is one.
  /// - Returns: what to tell the user; nil where all tests count the same.
  static func known(
    in workspace: String, _ options: EngineOptions
  ) -> (durations: [TestID: Double], note: String?) {
    do throws(EngineError) {
      guard try HistoryPlace(workspace: workspace, options: options).isEnabled else {
        return ([:], nil)
      }
      let durations = try history(of: workspace, options)
      let tests = durations.count == 1 ? "1 test" : "\(durations.count) tests"
      return (
        durations,
        durations.isEmpty
          ? nil : "shards are balanced by the history, which knows \(tests) (see --durations)"
      )
    } catch {
      return ([:], "all tests count the same, since \(error.message)")
    }
  }

  private static func history(
    of workspace: String, _ options: EngineOptions
  ) throws(EngineError) -> [TestID: Double] {
    let place = try HistoryPlace(workspace: workspace, options: options)
    do throws(StorageError) {
      return try place.history { Console.error("proctor: \($0)") }.durations()
    } catch {
      throw EngineError(history: error)
    }
  }

  private static func exported(_ file: String) throws(EngineError) -> [TestID: Double] {
    do throws(HistoryImportError) {
      return try History.durations(inExport: file)
    } catch {
      throw EngineError(
        .usage, error.problems.joined(separator: "\n"), resolution: "Export the history again.")
    }
  }

  private static func checked(
    _ durations: [TestID: Double], _ name: String, _ resolution: String
  ) throws(EngineError) -> [TestID: Double] {
    guard !durations.isEmpty else {
      throw EngineError(
        .usage, "\(name) knows of no test how long it takes", resolution: resolution)
    }
    return durations
  }
}
