extension GitRepository {
  /// The commit that is checked out, as far as git's own files say; nil for a branch without commits, and where
  /// references are kept in no files.
  var headCommit: String? {
    guard let head = Self.text("\(folder)/HEAD") else { return nil }
    guard head.hasPrefix("ref: ") else { return Self.commit(head) }
    let reference = String(head.dropFirst("ref: ".count))
    guard reference.hasPrefix("refs/"), !reference.split(separator: "/").contains("..") else {
      return nil
    }
    return Self.text("\(common)/\(reference)").flatMap(Self.commit) ?? packed(reference)
  }

  private static let packedLimit = 16 << 20

  private func packed(_ reference: String) -> String? {
    guard let data = FileSystem.read("\(common)/packed-refs", limit: Self.packedLimit) else {
      return nil
    }
    let line = String(decoding: data, as: UTF8.self).split(separator: "\n")
      .first { $0.hasSuffix(" \(reference)") }
    return line.flatMap { $0.split(separator: " ").first }.flatMap { Self.commit(String($0)) }
  }

  /// nil for what is no name of a commit, in SHA-1 or SHA-256.
  private static func commit(_ text: String) -> String? {
    let isName = (text.utf8.count == 40 || text.utf8.count == 64)
    return isName && text.allSatisfy(\.isHexDigit) ? text : nil
  }
}
