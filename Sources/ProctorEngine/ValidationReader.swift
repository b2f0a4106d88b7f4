import FoundationEssentials
import ProctorModel

/// Reads what is to be judged.
struct ValidationReader {
  let walker: WorkspaceWalker

  /// Files looked at in a folder, and their bytes together.
  private static let fileLimit = 20_000
  private static let sizeLimit = 256 << 20
  /// What stands for a piece of code that has no file.
  private static let unnamed = "-"

  struct Read {
    var sources: [ValidationSource] = []
    var unexamined: [ValidationAnswer.Unexamined] = []
  }

  /// - Throws: `EngineError` with code `usage` when there is nothing that could be judged.
  func read(_ subject: ValidationSubject) throws(EngineError) -> Read {
    switch subject {
    case .code(let data, let language):
      var read = Read()
      add(data, try Self.syntax(language), Self.unnamed, to: &read)
      return read
    case .path(let path, let base, let language):
      let wanted = path.hasPrefix("/") ? path : "\(base)/\(path)"
      guard let real = FileSystem.realPath(wanted) else {
        throw EngineError(
          .usage, "there is no file or folder \(path)", resolution: "Check the path.")
      }
      guard isInside(real) else {
        throw EngineError(
          .usage, "\(path) is outside the workspace \(walker.root)",
          resolution: "Name its workspace with --workspace.")
      }
      if FileSystem.isFolder(real) { return try folder(real, shown: path, language) }
      return try file(real, shown: path, language)
    }
  }

  private func isInside(_ path: String) -> Bool {
    path == walker.root || path.hasPrefix(walker.root + "/")
  }

  private func file(
    _ path: String, shown: String, _ language: String?
  ) throws(EngineError) -> Read {
    guard FileSystem.isRegular(path) else {
      throw EngineError(
        .usage, "\(shown) is no regular file", resolution: "Name a file or folder of code.")
    }
    let known: CodeSyntax? =
      if let language { try Self.syntax(language) } else { .init(file: path) }
    guard let known else {
      throw EngineError(
        .usage, "the language of \(shown) is not known by its ending",
        resolution: "Give --language, one of \(CodeSyntax.languages.joined(separator: ", ")).")
    }
    var read = Read()
    add(file: path, known, to: &read)
    return read
  }

  private func folder(
    _ path: String, shown: String, _ language: String?
  ) throws(EngineError) -> Read {
    guard language == nil else {
      throw EngineError(
        .usage, "a folder has no one language", resolution: "Leave --language out.")
    }
    var read = Read()
    var size = 0
    for file in files(in: path) {
      guard let syntax = CodeSyntax(file: file) else { continue }
      guard read.sources.count < Self.fileLimit, size < Self.sizeLimit else {
        throw EngineError(
          .usage, "\(shown) holds more than \(Self.fileLimit) files of code, or 256 MiB of it",
          resolution: "Judge one of its folders at a time.")
      }
      add(file: file, syntax, to: &read)
      size += read.sources.last?.text.count ?? 0
    }
    guard !read.sources.isEmpty || !read.unexamined.isEmpty else {
      throw EngineError(
        .usage, "the folder \(shown) holds no code of a known language",
        resolution: "Known are \(CodeSyntax.languages.joined(separator: ", ")).")
    }
    return read
  }

  /// Absolute. A folder that the workspace ignores holds its own files when it is named itself.
  private func files(in folder: String) -> [String] {
    let all = walker.tree().files.map { "\(walker.root)/\($0)" }
    let inside = all.filter { $0.hasPrefix(folder + "/") }
    guard inside.isEmpty else { return inside }
    return WorkspaceWalker(root: folder).tree().files.map { "\(folder)/\($0)" }
  }

  private func add(file: String, _ syntax: CodeSyntax, to read: inout Read) {
    let shown = String(file.dropFirst(walker.root.count + 1))
    // A link may lead anywhere.
    guard let real = FileSystem.realPath(file), isInside(real), FileSystem.isRegular(real) else {
      read.unexamined.append(.init(file: shown, reason: .unreadable))
      return
    }
    if let size = FileSystem.size(real), size > ValidationSource.sizeLimit {
      read.unexamined.append(.init(file: shown, reason: .tooLarge))
    } else if let data = FileSystem.read(real, limit: ValidationSource.sizeLimit) {
      add(data, syntax, shown, to: &read)
    } else {
      read.unexamined.append(.init(file: shown, reason: .unreadable))
    }
  }

  private func add(_ data: Data, _ syntax: CodeSyntax, _ shown: String, to read: inout Read) {
    do {
      read.sources.append(try ValidationSource(data, syntax: syntax, shown: shown))
    } catch {
      read.unexamined.append(error)
    }
  }

  private static func syntax(_ language: String) throws(EngineError) -> CodeSyntax {
    if let syntax = CodeSyntax(language: language) { return syntax }
    throw EngineError(
      .usage, "the language \(language) is not known",
      resolution: "Known are \(CodeSyntax.languages.joined(separator: ", ")).")
  }
}
