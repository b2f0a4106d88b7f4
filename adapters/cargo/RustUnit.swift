import FoundationEssentials
import Glibc
import ProctorModel
import TOMLKit

/// The crate that a file of Rust belongs to.
struct RustUnit {
  enum Kind {
    /// A file without Cargo.toml.
    case alone
    case library
    case binary(String)
  }

  let kind: Kind
  /// The crate's first file, absolute.
  let root: String
  /// Where its compiler runs, absolute.
  let directory: String

  var isAlone: Bool { if case .alone = kind { true } else { false } }

  /// - Throws: `FunctionFailure` for a file that belongs to no library or program.
  init(call: FunctionCall, context: AdapterContext) throws(FunctionFailure) {
    guard context.project.evidence != Project.loneFile,
      let package = Self.package(of: call.file, context)
    else {
      (kind, root, directory) = (.alone, call.file, call.file.parentFolder)
      return
    }
    directory = package
    let table =
      Self.read("\(package)/Cargo.toml", context).flatMap { try? TOMLTable(string: $0) }
      ?? TOMLTable()
    let library = "\(package)/\(table["lib"]?.table?["path"]?.string ?? "src/lib.rs")"
    let programs = Self.programs(package, table, context)
    if call.file == library {
      (kind, root) = (.library, library)
    } else if let own = programs.first(where: { Self.holds($0.path, call.file) }) {
      (kind, root) = (.binary(own.name), own.path)
    } else if !call.file.hasPrefix("\(package)/src/"), !Self.holds(library, call.file) {
      throw FunctionFailure(
        .build,
        "functions of tests, examples and build scripts cannot be called: only those of a "
          + "package's library and programs",
        at: SourceLocation(file: context.display(call.file)))
    } else if Self.exists(library, context) {
      (kind, root) = (.library, library)
    } else if let main = programs.first {
      (kind, root) = (.binary(main.name), main.path)
    } else {
      throw FunctionFailure(
        .build, "the package of this file has neither a library nor a program",
        at: SourceLocation(file: context.display("\(package)/Cargo.toml")))
    }
  }

  /// The file itself, or one of the folder that a program's `main.rs` has for itself.
  private static func holds(_ root: String, _ file: String) -> Bool {
    if file == root { return true }
    let folder = root.parentFolder
    return root.hasSuffix("/main.rs") && !folder.hasSuffix("/src") && file.hasPrefix(folder + "/")
  }

  private static func package(of file: String, _ context: AdapterContext) -> String? {
    let workspace = context.workspace
    var folder = file.parentFolder
    while folder == workspace || folder.hasPrefix(workspace + "/") {
      if let text = read("\(folder)/Cargo.toml", context),
        (try? TOMLTable(string: text))?["package"] != nil
      {
        return folder
      }
      folder = folder.parentFolder
    }
    return nil
  }

  private static func programs(
    _ package: String, _ table: TOMLTable, _ context: AdapterContext
  ) -> [(name: String, path: String)] {
    var result: [(name: String, path: String)] = []
    for entry in table["bin"]?.array.map({ $0.compactMap(\.table) }) ?? [] {
      guard let name = entry["name"]?.string else { continue }
      result.append((name, "\(package)/\(entry["path"]?.string ?? "src/bin/\(name).rs")"))
    }
    if let name = table["package"]?.table?["name"]?.string,
      exists("\(package)/src/main.rs", context)
    {
      result.append((name, "\(package)/src/main.rs"))
    }
    let folder = "\(package)/src/bin"
    let entries = try? FileManager.default.contentsOfDirectory(atPath: context.readable(folder))
    for entry in entries?.sorted() ?? [] {
      if entry.hasSuffix(".rs") {
        result.append((String(entry.dropLast(3)), "\(folder)/\(entry)"))
      } else if exists("\(folder)/\(entry)/main.rs", context) {
        result.append((entry, "\(folder)/\(entry)/main.rs"))
      }
    }
    var seen: Set<String> = []
    return result.filter { seen.insert($0.path).inserted }
  }

  private static func read(_ path: String, _ context: AdapterContext) -> String? {
    FileManager.default.contents(atPath: context.readable(path)).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  private static func exists(_ path: String, _ context: AdapterContext) -> Bool {
    access(context.readable(path), R_OK) == 0
  }
}

/// What a file of Rust says of its functions, without a compiler.
struct RustSource {
  private let lines: [String]

  /// - Parameter path: absolute, inside the workspace.
  init(_ path: String, _ context: AdapterContext) {
    // By bytes: to Swift, a carriage return and a line feed are one character, which is no line feed.
    lines = (FileManager.default.contents(atPath: context.readable(path)) ?? Data())
      .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
  }

  var lineCount: Int { lines.count }

  /// A path of names, perhaps with types: `add`, `Point::new`, `largest::<i32>`, `<i32 as Twice>::twice`.
  static func isPath(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first,
      first == "_" || first == "<" || first.properties.isXIDStart
    else { return false }
    return text.unicodeScalars.allSatisfy {
      $0.properties.isXIDContinue || ":<>, &'[]".unicodeScalars.contains($0)
    }
  }

  /// The contents of a literal of Rust.
  static func quoted(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
  }

  private var functions: [FunctionFailure.Neighbour] {
    lines.enumerated().compactMap { number, line in
      let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "#") }
      guard let place = words.firstIndex(of: "fn"), words.indices.contains(place + 1),
        !line.trimmingPrefix(while: \.isWhitespace).hasPrefix("//")
      else { return nil }
      return FunctionFailure.Neighbour(name: String(words[place + 1]), line: number + 1)
    }
  }

  /// The nearest names, five at most.
  func near(_ name: String) -> [FunctionFailure.Neighbour] {
    let last = name.split(separator: ":").last.map(String.init) ?? name
    return functions.nearest(to: last)
  }
}
