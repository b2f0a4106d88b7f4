/// What a sandboxed process tree may use. nil is "no limit of proctor's".
public struct ResourceLimits: Hashable, Sendable, Codable {
  /// Wall-clock seconds for the whole process tree.
  public var wallSeconds: Double?
  /// Megabytes (2^20 bytes) of memory for the whole tree.
  public var memoryMB: Int?
  /// Processes and threads in the tree.
  public var processes: Int?
  /// Open files of one process.
  public var openFiles: Int?
  /// Megabytes (2^20 bytes) of one written file.
  public var fileSizeMB: Int?

  public init(
    wallSeconds: Double? = nil, memoryMB: Int? = nil, processes: Int? = nil, openFiles: Int? = nil,
    fileSizeMB: Int? = nil
  ) {
    self.wallSeconds = wallSeconds
    self.memoryMB = memoryMB
    self.processes = processes
    self.openFiles = openFiles
    self.fileSizeMB = fileSizeMB
  }

  private enum CodingKeys: String, CodingKey {
    case wallSeconds = "wall_seconds"
    case memoryMB = "memory_mb"
    case processes
    case openFiles = "open_files"
    case fileSizeMB = "file_size_mb"
  }
}
