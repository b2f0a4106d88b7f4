import FoundationEssentials
import Glibc
import ProctorModel

/// Where XCTest methods are defined: the listing does not say, so the sources are read. What is not
/// unambiguous has no location.
struct XCTestSourceIndex {
  private static let sizeLimit = 4 << 20
  private static let modifiers: Set<Substring> = [
    "public", "open", "internal", "final", "override", "private", "fileprivate", "package",
    "@MainActor", "nonisolated", "@objc", "@available",
  ]

  /// `Class/method` to all places.
  private var places: [String: [SourceLocation]] = [:]

  init(context: AdapterContext) {
    var pending = [context.projectDirectory]
    while let folder = pending.popLast() {
      for name in (try? FileManager.default.contentsOfDirectory(atPath: context.readable(folder)))
        ?? []
      where !name.hasPrefix(".") {
        let path = "\(folder)/\(name)"
        var status = stat()
        guard lstat(context.readable(path), &status) == 0 else { continue }
        if (status.st_mode & S_IFMT) == S_IFDIR {
          pending.append(path)
        } else if name.hasSuffix(".swift"), (status.st_mode & S_IFMT) == S_IFREG,
          status.st_size < Self.sizeLimit
        {
          index(context.readable(path), as: context.display(path))
        }
      }
    }
  }

  /// - Parameter suite: `Module.Class`.
  func location(_ suite: String, _ method: String) -> SourceLocation? {
    let parts = suite.split(separator: ".")
    guard let type = parts.last, let module = parts.first else { return nil }
    let found = places["\(type)/\(method)"] ?? []
    if found.count == 1 { return found[0] }
    // Two modules with a class of one name: targets live in folders of their name.
    let own = found.filter { $0.file.split(separator: "/").contains(module) }
    return own.count == 1 ? own[0] : nil
  }

  private mutating func index(_ path: String, as file: String) {
    guard let data = try? Data(contentsOf: URL(filePath: path)),
      data.firstRange(of: Data("func test".utf8)) != nil
    else { return }
    var type: Substring?
    let lines = String(decoding: data, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated()
    where line.contains("class ") || line.contains("extension ") || line.contains("func test") {
      let words = line.split { $0 == " " || $0 == "\t" }
      let rest = words.drop { Self.modifiers.contains($0.prefix { $0 != "(" }) }
      for (word, next) in zip(rest, rest.dropFirst()) {
        if word == "class" || word == "extension", next.first?.isUppercase == true {
          type = next.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        } else if word == "func", next.hasPrefix("test"), let type {
          let method = next.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
          places["\(type)/\(method)", default: []].append(
            SourceLocation(file: file, line: number + 1))
        }
      }
    }
  }
}
