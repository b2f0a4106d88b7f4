/// What a sandboxed process tree may use. nil is "no limit of proctor's".
public struct ResourceLimits: Hashable, Sendable, Codable {
  /// A limit's name: its key in answers, and with `max_` in front the one in `proctor.toml`.
  public enum Name: String, CodingKey, Sendable, CaseIterable, Codable {
    case wallSeconds = "wall_seconds"
    case cpuSeconds = "cpu_time_seconds"
    case memoryMB = "memory_mb"
    case processes
    case openFiles = "open_files"
    case fileSizeMB = "file_size_mb"
    case scratchMB = "scratch_mb"
    case scratchFiles = "scratch_files"
    case outputMB = "output_mb"
    case fileOperations = "file_operations"
    case networkRequests = "network_requests"
  }

  /// Wall-clock seconds for the whole process tree.
  public var wallSeconds: Double?
  /// Seconds of processor time of the whole tree.
  public var cpuSeconds: Double?
  /// Megabytes (2^20 bytes) of memory for the whole tree.
  public var memoryMB: Int?
  /// Processes and threads in the tree.
  public var processes: Int?
  /// Open files of one process.
  public var openFiles: Int?
  /// Megabytes (2^20 bytes) of one written file.
  public var fileSizeMB: Int?
  /// Megabytes (2^20 bytes) that may be written: to /tmp and /dev/shm together, and to disk.
  public var scratchMB: Int?
  /// Files and folders that may be made, likewise.
  public var scratchFiles: Int?
  /// Megabytes (2^20 bytes) of stdout and stderr together.
  public var outputMB: Int?
  /// Files opened, made, changed or removed; reading what belongs to the system and the tools is free.
  public var fileOperations: Int?
  /// Connections begun and datagrams sent to an address.
  public var networkRequests: Int?

  public init(
    wallSeconds: Double? = nil, cpuSeconds: Double? = nil, memoryMB: Int? = nil,
    processes: Int? = nil, openFiles: Int? = nil, fileSizeMB: Int? = nil, scratchMB: Int? = nil,
    scratchFiles: Int? = nil, outputMB: Int? = nil, fileOperations: Int? = nil,
    networkRequests: Int? = nil
  ) {
    self.wallSeconds = wallSeconds
    self.cpuSeconds = cpuSeconds
    self.memoryMB = memoryMB
    self.processes = processes
    self.openFiles = openFiles
    self.fileSizeMB = fileSizeMB
    self.scratchMB = scratchMB
    self.scratchFiles = scratchFiles
    self.outputMB = outputMB
    self.fileOperations = fileOperations
    self.networkRequests = networkRequests
  }

  public typealias CodingKeys = Name
}
