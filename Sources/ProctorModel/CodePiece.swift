public import FoundationEssentials

/// A language in which pieces of code can be run.
public struct CodeLanguage: Hashable, Sendable {
  /// `python`: how it is asked for.
  public let name: String
  /// `Python`.
  public let title: String
  /// Other words for it; among them the endings of its files.
  public let aliases: Set<String>
  /// What the piece's own file is called where it runs.
  public let fileName: String
  public let runtimes: Set<FunctionRuntime>

  public init(
    name: String, title: String, aliases: Set<String>, fileName: String,
    runtimes: Set<FunctionRuntime> = [.native]
  ) {
    self.name = name
    self.title = title
    self.aliases = aliases
    self.fileName = fileName
    self.runtimes = runtimes
  }

  public func answers(to word: String) -> Bool {
    let word = word.lowercased()
    return word == name || aliases.contains(word)
  }
}

/// The folders in which a piece of code runs; they belong to it alone.
public struct CodeFolder: Sendable {
  /// Absolute; exists, with all that is named below.
  public let path: String

  public init(path: String) { self.path = path }

  /// All that the piece may write.
  public var scratch: String { "\(path)/scratch" }
  /// Its working folder: the piece itself, the files given with it, and `output`.
  public var work: String { "\(scratch)/work" }
  public var output: String { "\(work)/\(Self.outputName)" }
  public var temporary: String { "\(scratch)/tmp" }
  public var pictures: String { "\(scratch)/pictures" }
  /// For what is compiled: written by builds, read by the piece.
  public var build: String { "\(path)/build" }

  public static let outputName = "output"
}

/// A piece of code to be run.
public struct CodePiece: Sendable {
  public let language: CodeLanguage
  public let folder: CodeFolder
  /// How its own places are told: the path of its file as the user knows it, or `<code>`.
  public let name: String
  public let runtime: FunctionRuntime
  /// Megabytes (2^20 bytes) for the runtime; nil for no limit.
  public let memoryMB: Int?
  /// Bytes of the result's JSON text.
  public let outputLimit: Int

  public init(
    language: CodeLanguage, folder: CodeFolder, name: String, runtime: FunctionRuntime,
    memoryMB: Int?, outputLimit: Int = 8 << 20
  ) {
    self.language = language
    self.folder = folder
    self.name = name
    self.runtime = runtime
    self.memoryMB = memoryMB
    self.outputLimit = outputLimit
  }

  /// The name of a piece that has no file.
  public static let unnamed = "<code>"

  /// Where its source lies, absolute.
  public var file: String { "\(folder.work)/\(language.fileName)" }

  /// What every run of a piece is given to use.
  public var mounts: [Invocation.Mount] { [.scratch(folder.scratch), .readOnly(folder.path)] }
  public var environment: [String: String] { ["TMPDIR": folder.temporary] }

  /// A path as users see it: the piece's own name, relative to its working folder when inside that, else as
  /// of the workspace.
  public func display(_ path: String, _ context: AdapterContext) -> String {
    if path == file || path == name || path == language.fileName { return name }
    return path.hasPrefix(folder.work + "/")
      ? String(path.dropFirst(folder.work.count + 1)) : context.display(path)
  }

  /// What guest code is asked for; see docs/code.md for its keys.
  /// - Parameter root: the folder of the project whose packages it may use, absolute.
  public func request(root: String) -> Data {
    let request = Request(
      file: file, root: root, function: "", output_limit: outputLimit, items: 10000,
      memory_mb: memoryMB, name: name, work: folder.work, pictures: folder.pictures)
    let text = (try? JSONEncoder().encode(request)).map { String(decoding: $0, as: UTF8.self) }
    // Two braces stand for themselves, whatever the engine replaces in files.
    return Data((text ?? "{}").replacing("{{", with: #"{\u007b"#).utf8)
  }

  private struct Request: Encodable {
    let file: String
    let root: String
    let function: String
    let output_limit: Int
    let items: Int
    let memory_mb: Int?
    let name: String
    let work: String
    let pictures: String
  }
}

/// An adapter that can also run pieces of code of its language.
public protocol CodeAdapter: RuntimeAdapter {
  var codeLanguages: [CodeLanguage] { get }

  /// What compiles and runs a piece. A run that reports over the channel says how it ended; of any other its exit
  /// status does.
  /// - Throws: `FunctionFailure` when the source alone shows that it cannot be run.
  func plan(_ piece: CodePiece, _ context: AdapterContext) throws(FunctionFailure) -> FunctionPlan

  /// Understands a build that failed, or a run that reports nothing and ended with a signal or a status other
  /// than 0.
  func failure(
    of finished: FinishedInvocation, _ piece: CodePiece, _ context: AdapterContext
  ) -> FunctionFailure
}

extension CodeAdapter {
  public func failure(
    of finished: FinishedInvocation, _ piece: CodePiece, _ context: AdapterContext
  ) -> FunctionFailure {
    FunctionFailure(unexplained: finished)
  }
}

extension FunctionFailure {
  /// The end of a command of which nothing more is known than what it printed last.
  public init(unexplained finished: FinishedInvocation) {
    let lines = String(decoding: finished.stderr.suffix(2000), as: UTF8.self)
      .split(whereSeparator: \.isNewline).suffix(3)
    let words = lines.isEmpty ? "" : ": " + lines.joined(separator: " / ")
    guard finished.invocation.purpose == .call else {
      self.init(.build, "\(finished.invocation.title) failed (\(finished.status.text))\(words)")
      return
    }
    if let signal = finished.status.impliedSignal {
      self.init(.crashed, "killed by \(ExitStatus.signalName(signal))\(words)")
    } else {
      self.init(.runtime, "ended with \(finished.status.text)\(words)")
    }
  }
}
