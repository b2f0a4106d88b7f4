import FoundationEssentials
import Glibc

/// The few file operations proctor needs, on raw POSIX paths.
enum FileSystem {
  struct Entry {
    let name: String
    let isFolder: Bool
  }

  static func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(validatingCString: resolved)
  }

  static func isFolder(_ path: String) -> Bool { kind(path) == S_IFDIR }

  static func isRegular(_ path: String) -> Bool { kind(path) == S_IFREG }

  /// Bytes of a file; nil when there is none.
  static func size(_ path: String) -> Int? {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : nil
  }

  /// When a file or folder was changed last, in seconds since 1970; 0 when there is none.
  static func changed(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mtim.tv_sec : 0
  }

  /// Of what a path leads to, links followed; nil when there is nothing.
  private static func kind(_ path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Regular files and folders, symbolic links not followed into folders; names that are not UTF-8
  /// are left out.
  static func entries(of folder: String) -> [Entry] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var entries: [Entry] = []
    while let item = readdir(stream) {
      let name = withUnsafePointer(to: &item.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
      }
      guard let name, name != ".", name != ".." else { continue }
      switch Int32(item.pointee.d_type) {
      case Int32(DT_DIR): entries.append(Entry(name: name, isFolder: true))
      case Int32(DT_REG): entries.append(Entry(name: name, isFolder: false))
      case Int32(DT_LNK) where !isFolder("\(folder)/\(name)"):
        entries.append(Entry(name: name, isFolder: false))
      case Int32(DT_UNKNOWN):
        entries.append(Entry(name: name, isFolder: isFolder("\(folder)/\(name)")))
      default: continue
      }
    }
    return entries.sorted { $0.name < $1.name }
  }

  /// Everything in an open folder but `.` and `..`, as bytes with a zero at the end, which need not be text.
  static func rawNames(in folder: Int32) -> [[CChar]] {
    let copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0, let stream = fdopendir(copy) else {
      if copy >= 0 { close(copy) }
      return []
    }
    return rawNames(of: stream)
  }

  /// - Parameter stream: of a folder; closed.
  private static func rawNames(of stream: OpaquePointer) -> [[CChar]] {
    defer { closedir(stream) }
    var names: [[CChar]] = []
    while let item = readdir(stream) {
      let name = withUnsafeBytes(of: &item.pointee.d_name) { raw in
        raw.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
      }
      if name != [46, 0], name != [46, 46, 0] { names.append(name) }
    }
    return names
  }

  /// The same by a path, without zeros and in order; nil when it cannot be read, as errno says.
  static func names(in folder: [CChar]) -> [[UInt8]]? {
    guard let stream = opendir(folder) else { return nil }
    return rawNames(of: stream).map { $0.dropLast().map(UInt8.init(bitPattern:)) }
      .sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// A regular file's bytes; nil if it is none, cannot be read, or is larger than `limit`.
  static func read(_ path: String, limit: Int) -> Data? {
    // O_NONBLOCK: a named pipe in a workspace must not hang detection.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return read(descriptor, limit: limit)
  }

  /// The first bytes of a regular file; nil if it is none or cannot be read.
  static func prefix(of path: String, bytes: Int) -> Data? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    var buffer = [UInt8](repeating: 0, count: bytes)
    guard fstat(descriptor, &status) == 0, (status.st_mode & S_IFMT) == S_IFREG else { return nil }
    let count = read(descriptor, &buffer)
    return Data(buffer.prefix(max(0, count)))
  }

  /// The same of an open file, from where it stands.
  static func read(_ descriptor: Int32, limit: Int) -> Data? {
    var status = stat()
    guard fstat(descriptor, &status) == 0, (status.st_mode & S_IFMT) == S_IFREG,
      status.st_size <= limit
    else { return nil }
    var data = Data(count: Int(status.st_size))
    var filled = 0
    while filled < data.count {
      let count = data.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
      }
      if count <= 0 { break }
      filled += count
    }
    return Data(data.prefix(filled))
  }

  /// Reads some bytes of a descriptor, again when a signal came between.
  static func read(_ descriptor: Int32, _ buffer: inout [UInt8]) -> Int {
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count >= 0 || errno != EINTR { return count }
    }
  }

  /// Has two files share their contents until one is written to; false where the file system cannot.
  static func shareContents(of source: Int32, with target: Int32) -> Bool {
    // FICLONE of linux/fs.h.
    ioctl(target, 0x4004_9409, source) == 0
  }

  static func makeFolder(_ path: String) throws(EngineError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw storage("cannot create the folder \(path): \(reason(error))")
    }
  }

  /// Replaces what is there. Not for what has to outlive the machine: the disk is not waited for.
  static func write(_ data: Data, to path: String) throws(EngineError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    defer { if descriptor >= 0 { close(descriptor) } }
    guard descriptor >= 0, write(data, to: descriptor) else {
      throw storage("cannot write \(path): \(String(cString: strerror(errno)))")
    }
  }

  /// Writes all of it; false when that fails, as errno says.
  static func write(_ data: Data, to descriptor: Int32) -> Bool {
    var rest = data[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  /// Removes a tree, also where a test left folders without write permission, or deeper than paths can say.
  static func removeTree(_ path: String) {
    if (try? FileManager.default.removeItem(atPath: path)) != nil { return }
    TreeRemoval(path).run()
  }

  static func storage(_ message: String) -> EngineError {
    EngineError(
      .storage, message,
      resolution: "Free some space or name another cache folder with PROCTOR_CACHE_DIR.")
  }

  private static func reason(_ error: any Error) -> String {
    let code = (error as? CocoaError)?.code
    if code == .fileWriteOutOfSpace { return "no space left on the device" }
    if code == .fileWriteNoPermission { return "permission denied" }
    if code == .fileWriteVolumeReadOnly { return "the file system is read-only" }
    return String(cString: strerror(errno))
  }
}
