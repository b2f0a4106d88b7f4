/// A changed copy of a workspace, laid out.
struct CopiedWorkspace: Sendable {
  /// Of the copy on this machine, absolute; inside sandboxes it has the workspace's path.
  let folder: String
  /// Folders of the workspace that are shown in the copy, absolute.
  let shown: [String]
  /// For build caches.
  let cache: String
}
