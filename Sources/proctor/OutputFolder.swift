import FoundationEssentials
import Glibc
import ProctorEngine
import ProctorModel

/// Where files and pictures of a piece of code are written on this machine; never anywhere else.
struct OutputFolder: Sendable {
  private let path: String
  private let replaces: Bool

  /// Where pictures go, so that they never take the place of a file.
  private static let pictures = "pictures"

  /// - Parameter replaces: whether it may hold something already.
  init(_ path: String, replaces: Bool) throws(EngineError) {
    self.path = path
    self.replaces = replaces
    var status = stat()
    guard stat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw EngineError(
        .usage, "\(path) is no folder", resolution: "Name a new or empty folder with --output.")
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    guard replaces || names.isEmpty else {
      throw EngineError(
        .usage, "the folder \(path) is not empty",
        resolution: "Name a new or empty one with --output, or give --force.")
    }
  }

  /// Writes what has come back.
  func write(_ answer: CodeAnswer) throws(EngineError) {
    let pictures = answer.pictures.list.map { ("\(Self.pictures)/\($0.path)", $0.content) }
    let all = answer.files.list.map { ($0.path, $0.content) } + pictures
    let wanted = all.compactMap { path, content in content.map { (path, $0) } }
    guard !wanted.isEmpty else { return }
    mkdir(path, 0o777)
    for (name, content) in wanted { try write(content, to: name) }
  }

  /// By way of a new file that takes the name when it is whole. No link is followed below the folder.
  private func write(_ content: Data, to name: String) throws(EngineError) {
    let parts = name.split(separator: "/").map(String.init)
    var folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { if folder >= 0 { close(folder) } }
    for part in parts.dropLast() {
      mkdirat(folder, part, 0o777)
      let next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      if next < 0 { throw problem(name) }
      close(folder)
      folder = next
    }
    guard folder >= 0, let last = parts.last else { throw problem(name) }
    let temporary = ".proctor-\(getpid())"
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let target = openat(folder, temporary, flags, 0o666)
    guard target >= 0 else { throw problem(name) }
    defer { close(target) }
    let isWhole = Console.write(content, to: target)
    let isNamed =
      isWhole
      && (replaces
        ? renameat(folder, temporary, folder, last) == 0
        : linkat(folder, temporary, folder, last, 0) == 0)
    let error = errno
    if !isNamed || !replaces { unlinkat(folder, temporary, 0) }
    if !isNamed {
      errno = error
      throw problem(name)
    }
  }

  private func problem(_ name: String) -> EngineError {
    EngineError(
      .storage, "\(name) cannot be written to \(path): \(String(cString: strerror(errno)))",
      resolution: "Check the folder and its space, and run the code again.")
  }
}
