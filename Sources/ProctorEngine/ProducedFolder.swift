import FoundationEssentials
import Glibc
import ProctorModel

/// Reads what a piece of code left in a folder, and believes nothing of it: no link is followed, only regular files
/// are read, and no more than the limits.
struct ProducedFolder {
  enum Kind { case output, pictures }

  /// Files that are listed.
  static let countLimits = [Kind.output: 64, .pictures: 20]
  /// Bytes of one file, and of all files and pictures, that come back.
  static let fileLimit = 8 << 20
  static let totalLimit = 24 << 20
  /// Entries of folders that are looked at, and folders in folders.
  private static let entryLimit = 10_000
  private static let depthLimit = 16
  private static let pngSignature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  private let kind: Kind
  private let folder: CodeFolder

  init(_ kind: Kind, of folder: CodeFolder) {
    self.kind = kind
    self.folder = folder
  }

  private struct Entry {
    let path: String
    /// One of a folder that is open while the entry is looked at.
    let name: [CChar]
    let status: stat
  }

  /// - Parameter left: bytes that may still come back.
  func collect(_ left: inout Int) -> ProducedFiles {
    var result = ProducedFiles()
    var seen = 0
    guard let root = open() else { return result }
    walk(root, "", depth: 0, &seen, &result, &left)
    result.list.sort { $0.path < $1.path }
    return result
  }

  /// Below `scratch` the names are the piece's own: a link may stand for every folder.
  private func open() -> Int32? {
    var descriptor = Glibc.open(folder.scratch, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    let parts = kind == .output ? ["work", CodeFolder.outputName] : ["pictures"]
    for part in parts where descriptor >= 0 {
      let next = openat(descriptor, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      close(descriptor)
      descriptor = next
    }
    return descriptor < 0 ? nil : descriptor
  }

  /// - Parameter descriptor: of the folder; closed.
  private func walk(
    _ descriptor: Int32, _ prefix: String, depth: Int, _ seen: inout Int,
    _ result: inout ProducedFiles, _ left: inout Int
  ) {
    defer { close(descriptor) }
    for name in names(in: descriptor, &seen, &result) {
      var status = stat()
      guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
      let text = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
      let entry = Entry(path: prefix + text, name: name, status: status)
      guard status.st_mode & S_IFMT == S_IFDIR, kind == .output else {
        add(entry, in: descriptor, &result, &left)
        continue
      }
      let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
      let inner = depth < Self.depthLimit ? openat(descriptor, name, flags) : -1
      if inner >= 0 {
        walk(inner, entry.path + "/", depth: depth + 1, &seen, &result, &left)
      } else {
        note(entry, "a folder that cannot be read, or lies too deep", &result)
      }
    }
  }

  /// Sorted, as bytes.
  private func names(
    in folder: Int32, _ seen: inout Int, _ result: inout ProducedFiles
  ) -> ArraySlice<[CChar]> {
    let names = FileSystem.rawNames(in: folder).sorted { first, second in
      first.lexicographicallyPrecedes(second) { UInt8(bitPattern: $0) < UInt8(bitPattern: $1) }
    }
    let known = names.prefix(Self.entryLimit - seen)
    seen += known.count
    result.omitted += names.count - known.count
    return known
  }

  // MARK: one entry

  private func add(
    _ entry: Entry, in folder: Int32, _ result: inout ProducedFiles, _ left: inout Int
  ) {
    guard entry.status.st_mode & S_IFMT == S_IFREG else {
      return note(entry, Self.what(entry.status.st_mode), &result)
    }
    guard result.list.count < Self.countLimits[kind] ?? 0 else {
      result.omitted += 1
      return
    }
    let size = Int(entry.status.st_size)
    guard
      String(validating: entry.name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) != nil
    else { return note(entry, "its name is not UTF-8", &result) }
    guard size <= Self.fileLimit else {
      return note(entry, "larger than \(Self.fileLimit >> 20) MB", &result)
    }
    guard size <= left else {
      return note(entry, "all together are larger than \(Self.totalLimit >> 20) MB", &result)
    }
    guard let content = read(entry.name, in: folder, size) else {
      return note(entry, "it cannot be read", &result)
    }
    guard kind == .output || content.starts(with: Self.pngSignature) else {
      return note(entry, "it is no PNG", &result)
    }
    left -= content.count
    result.list.append(
      ProducedFiles.File(path: entry.path, bytes: content.count, content: content, omitted: nil))
  }

  private func note(_ entry: Entry, _ why: String, _ result: inout ProducedFiles) {
    guard result.list.count < Self.countLimits[kind] ?? 0 else {
      result.omitted += 1
      return
    }
    let isRegular = entry.status.st_mode & S_IFMT == S_IFREG
    result.list.append(
      ProducedFiles.File(
        path: entry.path, bytes: isRegular ? Int(entry.status.st_size) : nil, content: nil,
        omitted: why))
  }

  private func read(_ name: [CChar], in folder: Int32, _ size: Int) -> Data? {
    // What it was when it was looked at, it need not be when it is opened.
    let descriptor = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    var data = Data(count: size)
    var filled = 0
    while filled < size {
      let count = data.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, size - filled)
      }
      guard count > 0 else { break }
      filled += count
    }
    return Data(data.prefix(filled))
  }

  private static func what(_ mode: mode_t) -> String {
    switch mode & S_IFMT {
    case S_IFLNK: "a symbolic link"
    case S_IFIFO: "a named pipe"
    case S_IFSOCK: "a socket"
    case S_IFDIR: "a folder"
    default: "a device"
    }
  }
}
