import FoundationEssentials
import Glibc
import ProctorEngine
import ProctorModel

/// Where files and pictures of a piece of code are written on this machine; never anywhere else.
struct OutputFolder: Sendable {
  private let path: String
  private let replaces: Bool

  /// Whether there can be such a folder is seen now: later, code would have run in vain.
  /// - Parameter replaces: whether it may hold something already.
  init(_ path: String, replaces: Bool) throws(EngineError) {
    self.path = path
    self.replaces = replaces
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard mkdir(path, 0o777) == 0 else { throw Self.impossible(path, "made") }
      rmdir(path)
      return
    }
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
    guard access(path, W_OK | X_OK) == 0 else { throw Self.impossible(path, "written to") }
  }

  private static func impossible(_ path: String, _ what: String) -> EngineError {
    EngineError(
      .usage, "the folder \(path) cannot be \(what): \(String(cString: strerror(errno)))",
      resolution: "Name a folder with --output that can be made and written to.")
  }

  /// Writes what has come back.
  /// - Returns: the answer that says of each file where it is, or why it is not.
  func write(_ answer: CodeAnswer) -> CodeAnswer {
    var answer = answer
    let pictures = Self.pictureFolder(beside: answer.files)
    write(&answer.files) { $0 }
    write(&answer.pictures) { "\(pictures)/\($0)" }
    return answer
  }

  /// Where pictures go, so that they never take the place of a file.
  private static func pictureFolder(beside files: ProducedFiles) -> String {
    let taken = Set(files.list.compactMap { $0.path.split(separator: "/").first.map(String.init) })
    var (name, number) = ("pictures", 1)
    while taken.contains(name) {
      number += 1
      name = "pictures-\(number)"
    }
    return name
  }

  private func write(_ files: inout ProducedFiles, as named: (String) -> String) {
    for index in files.list.indices {
      guard let content = files.list[index].content else { continue }
      mkdir(path, 0o777)
      let name = named(files.list[index].path)
      do {
        try write(content, to: name)
        files.list[index].copy = .written(name)
      } catch {
        files.list[index].copy = .failed(error.why)
      }
    }
  }

  private struct NotWritten: Error {
    /// As errno says.
    let why = String(cString: strerror(errno))
  }

  /// By way of a new file that takes the name when it is whole. No link is followed below the folder.
  private func write(_ content: Data, to name: String) throws(NotWritten) {
    let parts = name.split(separator: "/").map(String.init)
    var folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0, let last = parts.last else { throw NotWritten() }
    defer { close(folder) }
    for part in parts.dropLast() {
      mkdirat(folder, part, 0o777)
      let next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard next >= 0 else { throw NotWritten() }
      close(folder)
      folder = next
    }
    let temporary = ".proctor-\(getpid())"
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let target = openat(folder, temporary, flags, 0o666)
    guard target >= 0 else { throw NotWritten() }
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
      throw NotWritten()
    }
  }
}
