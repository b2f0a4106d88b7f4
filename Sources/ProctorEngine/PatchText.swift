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

  let files: [File]
  /// Whether every line ends as on Windows, the diff's own too.
  let isWindows: Bool
  private let stray: PatchReader.Stray?

  init(_ data: Data) {
    let (newLine, return_) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
    let lines = [UInt8](data).split(separator: newLine, omittingEmptySubsequences: false)
    isWindows =
      lines.contains { !$0.isEmpty } && lines.allSatisfy { $0.isEmpty || $0.last == return_ }
    let reader = PatchReader(lines.map { $0.last == return_ ? $0.dropLast() : $0 })
    (files, stray) = (reader.files, reader.stray)
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

  struct Refusal {
    let message: String
    let resolution: String
  }

  /// Why it is not even tried; nil when nothing speaks against it.
  /// - Parameter strip: see `strip(inner:exists:)`.
  func refusal(strip: Int) -> Refusal? {
    if let stray {
      return Refusal(
        message: "line \(stray.line) of the patch \(stray.why): \(stray.text)",
        resolution: "Make it anew with git diff, or diff -ruN, and change no line of it by hand.")
    }
    for name in names {
      let parts = name.split(separator: "/").dropFirst(strip)
      if name.hasPrefix("/") || parts.contains("..") || parts.isEmpty {
        return Refusal(
          message: "the patch names \(name), which is outside the workspace",
          resolution: "Make it from the workspace's root, or name its repository's as workspace.")
      }
      if parts.contains(".git") {
        return Refusal(
          message: "the patch names \(name): git's own folder is not changed",
          resolution: "Leave that file out of the patch.")
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
