import ProctorFormats
import ProctorModel

/// Finds, in what failed tests say, files that this machine has and the sandbox did not show.
///
/// The kernel does not tell of paths that were not found; the messages of those who looked for them do.
struct HiddenPaths {
  private static let paths = try? RegularExpression(
    #"(?<![\w.:/-])(?<path>/[\w.@+~-]+(?:/[\w.@+~-]+)+)"#)
  /// Bytes of each text that are looked at.
  private static let textLimit = 16 << 10

  /// Folders that the tests see.
  let visible: [String]

  func denials(in attempts: [Attempt]) -> Denials {
    var denials = Denials()
    for attempt in attempts where attempt.outcome.countsAsFailed {
      let texts = attempt.failures.map(\.message) + [attempt.stderr?.text ?? ""]
      let named = Set(texts.flatMap { Self.paths(in: $0) })
      for path in named.sorted() where isHidden(path) {
        denials.add(
          Denial(kind: .file, target: path, rule: "default-deny files", setting: "read"))
      }
    }
    return denials
  }

  private static func paths(in text: String) -> [String] {
    let text = String(text.prefix(textLimit))
    let found = (try? paths?.captures(in: text, most: 100)) ?? []
    return found.compactMap { $0["path"] }.map { $0.hasSuffix(".") ? String($0.dropLast()) : $0 }
  }

  private func isHidden(_ path: String) -> Bool {
    !visible.contains { path == $0 || path.hasPrefix($0 + "/") } && FileSystem.exists(path)
  }
}
