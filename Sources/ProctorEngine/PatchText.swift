import FoundationEssentials

/// What a diff says of itself, for messages and for finding the folder it starts from; what it does is seen from
/// what git made of it.
struct PatchText {
  struct File {
    /// As written, without quotes; nil for a file that is not there before or after.
    var old: String?
    var new: String?
    /// The lines `@@ ... @@`, and the line of the old file each begins at.
    var hunks: [(header: String, start: Int)] = []
  }

  private(set) var files: [File] = []
  /// Whether every line ends as on Windows, the diff's own too.
  let isWindows: Bool

  init(_ data: Data) {
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)
    isWindows = !lines.isEmpty && lines.allSatisfy { $0.last == UInt8(ascii: "\r") }
    // Of a hunk, how many lines of the old and the new file are still to come.
    var (old, new) = (0, 0)
    for line in lines {
      if old > 0 || new > 0 {
        switch line.first {
        case UInt8(ascii: "-"): old -= 1
        case UInt8(ascii: "+"): new -= 1
        case UInt8(ascii: "\\"): break
        default: (old, new) = (old - 1, new - 1)
        }
        continue
      }
      let text = String(decoding: line, as: UTF8.self).trimmingEnd("\r")
      if let counts = take(text) { (old, new) = counts }
    }
  }

  /// - Returns: for the head of a hunk, its lines in the old and the new file.
  private mutating func take(_ line: String) -> (Int, Int)? {
    if line.hasPrefix("diff --git ") {
      let names = Self.names(line.dropFirst("diff --git ".count))
      files.append(File(old: names?.0, new: names?.1))
    } else if line.hasPrefix("--- ") {
      let name = Self.name(line.dropFirst(4))
      // A plain diff has no line before this one.
      if files.isEmpty || files[files.count - 1].hunks.isEmpty == false { files.append(File()) }
      files[files.count - 1].old = name
    } else if line.hasPrefix("+++ "), !files.isEmpty {
      files[files.count - 1].new = Self.name(line.dropFirst(4))
    } else if line.hasPrefix("@@ -"), !files.isEmpty {
      let numbers = line.dropFirst(4).split { !($0.isNumber || $0 == ",") }.prefix(2)
        .map { $0.split(separator: ",").compactMap { Int($0) } }
      guard numbers.count == 2, let start = numbers[0].first else { return nil }
      files[files.count - 1].hunks.append((line, start))
      func count(_ numbers: [Int]) -> Int { numbers.count > 1 ? numbers[1] : 1 }
      return (count(numbers[0]), count(numbers[1]))
    }
    return nil
  }

  /// The two names of `diff --git`, which have no mark between them: equal but for their prefixes.
  private static func names(_ text: Substring) -> (String, String)? {
    if text.hasPrefix("\"") || text.hasSuffix("\"") {
      let parts = text.split(separator: "\"").filter { $0 != " " }.map(String.init)
      return parts.count == 2 ? (parts[0], parts[1]) : nil
    }
    let blanks = text.indices.filter { text[$0] == " " }
    func plain(_ part: Substring) -> Substring {
      part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).last ?? part
    }
    for blank in blanks {
      let (left, right) = (text[..<blank], text[text.index(after: blank)...])
      if left == right || plain(left) == plain(right) { return (String(left), String(right)) }
    }
    return blanks.count == 1
      ? (String(text[..<blanks[0]]), String(text[text.index(after: blanks[0])...])) : nil
  }

  private static func name(_ text: Substring) -> String? {
    // Other tools write a date after a tab.
    let name = text.prefix { $0 != "\t" }.trimmingQuotes
    return name == "/dev/null" ? nil : name
  }

  // MARK: where it starts

  /// Folders that git writes before names: `a/`, `b/`, and the ones of `diff.mnemonicPrefix`.
  private static let prefixes: Set<String> = ["a", "b", "c", "i", "o", "w", "1", "2"]

  /// The names in it, as written.
  var names: [String] { files.flatMap { [$0.old, $0.new].compactMap(\.self) } }

  /// How many leading folders of its names are no part of the path (`git apply -p`).
  /// - Parameters:
  ///   - inner: the workspace's folder in its repository, which names may begin with.
  ///   - exists: whether the workspace has a file of this path.
  func strip(inner: String, exists: (String) -> Bool) -> Int {
    let names = names
    guard !names.isEmpty else { return 1 }
    let parts = names.map { $0.split(separator: "/").map(String.init) }
    let isPrefixed = parts.allSatisfy { $0.count > 1 && Self.prefixes.contains($0[0]) }
    // Without prefixes a folder may be called so: what is there decides.
    let base = isPrefixed && !names.contains(where: exists) ? 1 : isPrefixed ? decided(exists) : 0
    let folders = inner.split(separator: "/").map(String.init)
    let isInner =
      !folders.isEmpty && parts.allSatisfy { $0.dropFirst(base).starts(with: folders) }
      && !names.contains { exists(Self.stripped($0, base)) }
    return isInner ? base + folders.count : base
  }

  private func decided(_ exists: (String) -> Bool) -> Int {
    let old = files.compactMap(\.old)
    return old.count { exists(Self.stripped($0, 1)) } >= old.count(where: exists) ? 1 : 0
  }

  static func stripped(_ name: String, _ count: Int) -> String {
    name.split(separator: "/").dropFirst(count).joined(separator: "/")
  }

  // MARK: what must not be

  /// Why it is not even tried; nil when nothing speaks against it.
  /// - Parameter strip: see `strip(inner:exists:)`.
  func refusal(strip: Int) -> String? {
    for name in names {
      let parts = name.split(separator: "/").dropFirst(strip)
      if name.hasPrefix("/") || parts.contains("..") || parts.isEmpty {
        return "the patch names \(name), which is outside the workspace"
      }
      if parts.contains(".git") {
        return "the patch names \(name): git's own folder is not changed"
      }
    }
    return nil
  }

  /// What git says of a patch that does not apply, with the hunk in words.
  func explain(_ words: String) -> String {
    // `error: patch failed: src/a.py:12`
    let lines = words.split(separator: "\n").map(String.init)
    let errors = lines.filter { $0.hasPrefix("error: ") }.map { String($0.dropFirst(7)) }
    guard let failed = errors.first(where: { $0.hasPrefix("patch failed: ") }) else {
      return errors.first ?? lines.first ?? "git gives no reason"
    }
    let place = failed.dropFirst("patch failed: ".count)
    guard let colon = place.lastIndex(of: ":"), let line = Int(place[place.index(after: colon)...])
    else { return failed }
    let path = place[..<colon]
    let file = files.first { [$0.old, $0.new].contains { $0?.hasSuffix(path) == true } }
    let number = file?.hunks.firstIndex { $0.start == line }
    let hunk = number.flatMap { index in
      file.map { "hunk \(index + 1) of \($0.hunks.count), \($0.hunks[index].header)" }
    }
    return "\(path) at line \(line)" + (hunk.map { " (\($0))" } ?? "")
  }
}

extension StringProtocol {
  fileprivate func trimmingEnd(_ character: Character) -> String {
    last == character ? String(dropLast()) : String(self)
  }

  /// Git writes names with odd characters in quotes.
  fileprivate var trimmingQuotes: String {
    hasPrefix("\"") && hasSuffix("\"") && count > 1 ? String(dropFirst().dropLast()) : String(self)
  }
}
