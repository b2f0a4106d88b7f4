public import ProctorEngine
public import ProctorHistory
public import ProctorStorage

/// Where a workspace's history is, by the settings in force.
public struct HistoryPlace: Sendable {
  let engine: Engine
  private let folder: String
  private let settings: Configuration.History

  /// - Throws: `EngineError` for a missing workspace, broken settings or no cache folder.
  public init(workspace: String, options: EngineOptions) throws(EngineError) {
    engine = try Engine(workspace: workspace, options: options)
    folder = try engine.historyFolder()
    settings = try engine.historySettings()
  }

  /// The workspace's root.
  public var workspace: String { engine.workspace }

  /// Whether runs are recorded.
  public var isEnabled: Bool { settings.isEnabled ?? true }

  /// - Parameter say: tells the user what is wrong with the file; any thread.
  public func history(say: @escaping @Sendable (String) -> Void) -> History {
    var limits = HistoryLimits()
    limits.maxMegabytes = settings.maxMegabytes ?? limits.maxMegabytes
    limits.keepDays = settings.keepDays ?? limits.keepDays
    return History(folder: folder, limits: limits, say: say)
  }
}

extension EngineError {
  public init(history error: StorageError) {
    self.init(.storage, error.message, resolution: error.resolution)
  }
}
