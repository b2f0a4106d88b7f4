import Glibc
import ProctorModel

/// Where the upper layers of overlays live.
enum OverlayStorage: Sendable {
  /// In the scratch folder: what is written stays for the next command.
  case disk
  /// In memory: for cache folders that stand on an overlay themselves, as in containers.
  case memory
  /// No overlays: what would be copy-on-write is read-only.
  case none

  var next: OverlayStorage? {
    switch self {
    case .disk: .memory
    case .memory: OverlayStorage.none
    case .none: nil
    }
  }
}

/// Which overlays a policy needs and where they are mounted.
struct OverlayPlan {
  let policy: SandboxPolicy
  let storage: OverlayStorage

  private var isRoot: Bool { geteuid() == 0 }
  /// Folders that appear in memory are made by the child, after it mounted the tmpfs.
  private var base: String { storage == .memory ? "\(policy.scratch)/memory" : policy.scratch }

  private struct Entry {
    let path: String
    let lowers: [String]
    let upper: String?
    let work: String?
    let target: String
  }

  private var entries: [Entry] {
    guard storage != .none, policy.backend == .bubblewrap else { return [] }
    var result: [Entry] = []
    func add(_ path: String, lowers: [String], upper: String?, work: String?) {
      result.append(
        Entry(
          path: path, lowers: lowers, upper: upper, work: work,
          target: "\(policy.scratch)/mount-\(result.count)"))
    }
    if policy.access == .protected {
      add(
        policy.workspace, lowers: [policy.workspace], upper: "\(base)/workspace-upper",
        work: "\(base)/workspace-work")
    }
    for case .copyOnWrite(let path) in policy.mounts {
      add(
        path, lowers: [path], upper: "\(base)/cow-\(result.count)-upper",
        work: "\(base)/cow-\(result.count)-work")
    }
    for case .layered(let lower, let upper) in policy.mounts {
      if policy.network == .host {
        add(upper, lowers: [lower], upper: upper, work: upper + ".work")
      } else {
        // Several commands may read at once what only a fetch may write.
        add(upper, lowers: [upper, lower], upper: nil, work: nil)
      }
    }
    return result
  }

  /// Makes what must stand before the start; false when the disk refuses.
  func prepare() -> Bool {
    let folders =
      entries.map(\.target) + (tmpfs.map { [$0] } ?? [])
      + (storage == .memory ? [] : layerFolders) + policyFolders
    for case .copyOnWrite(let path) in policy.mounts where !Paths.exists(path) {
      guard Paths.make(path) else { return false }
    }
    return folders.allSatisfy(Paths.make)
  }

  private var layerFolders: [String] { entries.flatMap { [$0.upper, $0.work].compactMap(\.self) } }

  /// Persistent layers and writable caches stand on disk in any case.
  private var policyFolders: [String] {
    policy.mounts.flatMap { mount -> [String] in
      switch mount {
      case .writable(let path): [path]
      case .layered(_, let upper): [upper, upper + ".work"]
      case .readOnly, .copyOnWrite: []
      }
    }
  }

  var tmpfs: String? { storage == .memory ? base : nil }

  var folders: [String] { storage == .memory ? layerFolders.filter { $0.hasPrefix(base) } : [] }

  var mounts: [Launch.Overlay] {
    entries.map {
      Launch.Overlay(lowers: $0.lowers, upper: $0.upper, work: $0.work, target: $0.target)
    }
  }

  /// The mounted overlay by the path it stands for.
  var sources: [String: String] {
    Dictionary(entries.map { ($0.path, $0.target) }) { first, _ in first }
  }

  var layers: [String] {
    switch storage {
    case _ where policy.access != .protected: []
    case .disk: ["copy-on-write workspace"]
    case .memory: ["copy-on-write workspace (in memory)"]
    case .none: []
    }
  }

  /// What really holds for the workspace.
  var access: String {
    policy.access == .protected && storage == .none
      ? SandboxPolicy.WorkspaceAccess.readOnly.rawValue : policy.access.rawValue
  }

  var missing: [String] {
    storage == .none && policy.access == .protected
      ? ["this host cannot mount overlays, so the workspace is read-only instead of copy-on-write"]
      : []
  }
}
