import FoundationEssentials
import Glibc

/// A path relative to some folder as the kernel has it: bytes, which need not be text.
struct RawPath: Hashable {
  /// Without a zero at the end; empty for the folder itself.
  let bytes: [UInt8]

  private static let slash = UInt8(ascii: "/")

  init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }
  init(_ text: String) { bytes = Array(text.utf8) }

  func appending(_ name: [UInt8]) -> RawPath {
    RawPath(bytes.isEmpty ? name : bytes + [Self.slash] + name)
  }

  /// For people: what is no text is shown as such, so that two paths may look the same.
  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// nil when it is no text.
  var exactText: String? { String(validating: bytes, as: UTF8.self) }

  /// Its last part, as `text`.
  var name: String {
    String(decoding: bytes.split(separator: Self.slash).last ?? [], as: UTF8.self)
  }

  /// For system calls.
  func below(_ root: String) -> [CChar] {
    Self.terminated(Array(root.utf8) + [Self.slash] + bytes)
  }

  private static func terminated(_ bytes: some Sequence<UInt8>) -> [CChar] {
    bytes.map { CChar(bitPattern: $0) } + [0]
  }

  // MARK: what it leads to, no link followed

  /// Of the file or the link itself; nil when there is none, or a link is on the way to it.
  func status(below root: String) -> stat? {
    inParent(below: root) { folder, name in
      var status = stat()
      return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status : nil
    }
  }

  /// A descriptor to read from; nil when it cannot be opened.
  func open(below root: String) -> Int32? {
    inParent(below: root) { folder, name in
      let file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      return file >= 0 ? file : nil
    }
  }

  /// Where a link points; nil when it is none.
  func destination(below root: String) -> [CChar]? {
    inParent(below: root) { folder, name in
      var text = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = readlinkat(folder, name, &text, text.count)
      return count >= 0 ? Array(text.prefix(count)) : nil
    }
  }

  private func inParent<Result>(
    below root: String, _ body: (Int32, [CChar]) -> Result?
  ) -> Result? {
    let parts = bytes.split(separator: Self.slash)
    guard let name = parts.last else { return nil }
    var folder = Glibc.open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    for part in parts.dropLast() where folder >= 0 {
      let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
      let next = openat(folder, Self.terminated(part), flags)
      close(folder)
      folder = next
    }
    guard folder >= 0 else { return nil }
    defer { close(folder) }
    return body(folder, Self.terminated(name))
  }
}

extension RawPath: Comparable {
  static func < (left: RawPath, right: RawPath) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}
