import FoundationEssentials
import ProctorModel

/// The git repository that a workspace is in, as far as files say.
struct GitRepository {
  /// The folder with `.git` in it, absolute.
  let top: String
  /// Git's own folder, absolute; a work tree's own one when there are several.
  let folder: String
  /// Git's folder that holds the objects.
  let common: String
  /// The workspace's folder in it; empty for its root.
  let inner: String

  /// Whether there is one, be it a workspace's own or not.
  static func isAround(_ workspace: String) -> Bool {
    var top = workspace
    while top.count > 1, !FileSystem.exists("\(top)/.git") { top = top.parentFolder }
    return top.count > 1
  }

  /// - Throws: `EngineError` when there is none that can be trusted to be this workspace's.
  static func around(_ workspace: String) throws(EngineError) -> GitRepository {
    var top = workspace
    while top.count > 1, !FileSystem.exists("\(top)/.git") { top = top.parentFolder }
    let mark = "\(top)/.git"
    guard top.count > 1 else {
      throw EngineError(
        .usage, "\(workspace) is in no git repository",
        resolution: "Give a patch file instead of a revision.")
    }
    let inner = String(workspace.dropFirst(top.count + 1))
    if FileSystem.isFolder(mark) {
      guard FileSystem.realPath(mark) == mark else { throw foreign(mark) }
      return GitRepository(top: top, folder: mark, common: mark, inner: inner)
    }
    // A further work tree: a file that names git's folder, which names the work tree in turn. One that does not
    // would show another repository.
    guard let text = text(mark), text.hasPrefix("gitdir: ") else { throw foreign(mark) }
    let named = String(text.dropFirst("gitdir: ".count))
    guard let folder = FileSystem.realPath(named.hasPrefix("/") ? named : "\(top)/\(named)"),
      let back = Self.text("\(folder)/gitdir"), FileSystem.realPath(back) == mark,
      let shared = Self.text("\(folder)/commondir"),
      let common = FileSystem.realPath(shared.hasPrefix("/") ? shared : "\(folder)/\(shared)"),
      folder.hasPrefix(common + "/worktrees/")
    else { throw foreign(mark) }
    return GitRepository(top: top, folder: folder, common: common, inner: inner)
  }

  static func text(_ path: String) -> String? {
    FileSystem.read(path, limit: 1 << 16).map {
      String(decoding: $0, as: UTF8.self).split(separator: "\n").first.map(String.init) ?? ""
    }
  }

  /// The commit that is checked out, in hexadecimal digits, by git's own files; nil before the first one, and for a
  /// store of references that is no files.
  var head: String? {
    guard let head = Self.text("\(folder)/HEAD") else { return nil }
    guard head.hasPrefix("ref: ") else { return Self.commit(head) }
    let name = String(head.dropFirst("ref: ".count))
    guard !name.split(separator: "/").contains("..") else { return nil }
    if let text = Self.text("\(common)/\(name)"), let commit = Self.commit(text) { return commit }
    let packed = FileSystem.read("\(common)/packed-refs", limit: 64 << 20)
    return packed.map { String(decoding: $0, as: UTF8.self) }?.split(separator: "\n")
      .first { $0.hasSuffix(" \(name)") }.flatMap { Self.commit(String($0.prefix { $0 != " " })) }
  }

  /// SHA-1 or SHA-256.
  private static func commit(_ text: String) -> String? {
    [40, 64].contains(text.count) && text.allSatisfy(\.isHexDigit) ? text : nil
  }

  private static func foreign(_ mark: String) -> EngineError {
    EngineError(
      .usage, "\(mark) does not lead to a repository of this workspace",
      resolution: "Give a patch file instead of a revision.")
  }

  /// What git must see of it, where a copy stands in the workspace's place.
  var mounts: [Invocation.Mount] {
    inner.isEmpty && common.hasPrefix(top + "/") ? [.copyOnWrite(common)] : [.readOnly(common)]
  }
}
