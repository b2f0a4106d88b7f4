import FoundationEssentials
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

/// Which overlays a policy needs, and where their layers are.
struct OverlayPlan {
  /// Who mounts them: the launcher inside the new root, a step before bubblewrap on the host's paths, or a
  /// container engine.
  enum Builder { case launcher, bubblewrap, engine }

  static let memoryPlace = "/.layers"

  let policy: SandboxPolicy
  let storage: OverlayStorage
  let builder: Builder

  /// The empty folder that becomes the launcher's new root.
  var root: String { "\(policy.scratch)/root" }

  /// Where layers in memory are: a path of the host while the root is being built.
  private var base: String {
    switch (storage, builder) {
    case (.memory, .launcher): root + Self.memoryPlace
    case (.memory, .bubblewrap): "\(policy.scratch)/memory"
    default: policy.scratch
    }
  }

  private struct Entry {
    let path: String
    let lowers: [String]
    let upper: String?
    let work: String?
  }

  private var entries: [Entry] {
    guard storage != .none else { return [] }
    var result: [Entry] = []
    if policy.access == .protected {
      result.append(
        Entry(
          path: policy.workspace, lowers: [policy.workspace], upper: "\(base)/workspace-upper",
          work: "\(base)/workspace-work"))
    }
    for case .copyOnWrite(let path) in policy.mounts {
      result.append(
        Entry(
          path: path, lowers: [path], upper: "\(base)/cow-\(result.count)-upper",
          work: "\(base)/cow-\(result.count)-work"))
    }
    for case .layered(let lower, let upper) in policy.mounts {
      // Several commands may read at once what only one may write.
      let keeps = policy.keepsLayers
      result.append(
        Entry(
          path: upper, lowers: keeps ? [lower] : [upper, lower], upper: keeps ? upper : nil,
          work: keeps ? upper + ".work" : nil))
    }
    return result
  }

  /// What a protected workspace was written to; nil when that is not on disk.
  var workspaceUpper: String? {
    policy.access == .protected && storage == .disk ? "\(base)/workspace-upper" : nil
  }

  /// Makes what must stand before the start; false when the disk refuses.
  func prepare() -> Bool {
    var folders = policyFolders
    switch builder {
    case .launcher: folders.append(root)
    case .bubblewrap: folders += entries.map(target) + (storage == .memory ? [base] : [])
    case .engine: break
    }
    if storage == .disk {
      folders += entries.flatMap(layers)
      // A volatile overlay leaves a mark, so that nobody mounts its layers after a crash of the machine.
      for case let work? in entries.filter(isScratch).map(\.work) {
        try? FileManager.default.removeItem(
          atPath: [work, "work", "incompat"].joined(separator: "/"))
      }
    }
    for case .copyOnWrite(let path) in policy.mounts { folders.append(path) }
    return folders.allSatisfy { Paths.exists($0) || Paths.make($0) }
  }

  private func isScratch(_ entry: Entry) -> Bool { entry.upper?.hasPrefix(policy.scratch) == true }

  private func layers(_ entry: Entry) -> [String] { [entry.upper, entry.work].compactMap(\.self) }

  /// Persistent layers and writable caches stand on disk in any case.
  private var policyFolders: [String] {
    policy.mounts.flatMap { mount -> [String] in
      switch mount {
      case .writable(let path), .scratch(let path): [path]
      case .layered(_, let upper): [upper, upper + ".work"]
      case .readOnly, .copyOnWrite: []
      }
    }
  }

  /// Host folders on disk that the command can fill.
  var writtenFolders: [String] {
    (storage == .disk ? entries.compactMap(\.upper) : []) + policyFolders
      + (policy.access == .writable ? [policy.workspace] : [])
  }

  var hasMemoryLayers: Bool { storage == .memory && !entries.isEmpty }

  /// What makes the layers in memory, as steps before the overlays.
  var layerSteps: [Launch.Step] {
    guard hasMemoryLayers else { return [] }
    var options = "mode=0700"
    if let size = policy.limits.scratchMB { options += ",size=\(size)m" }
    let place = builder == .launcher ? Self.memoryPlace : base
    let folders = entries.flatMap(layers).filter { $0.hasPrefix(base) }
    return [.tmpfs(place, options: options)]
      + folders.map { .folder(place + $0.dropFirst(base.count), mode: 0o700) }
  }

  /// The overlay that stands for a path; nil when there is none.
  func overlay(at path: String) -> Launch.Overlay? {
    entries.first { $0.path == path }.map {
      Launch.Overlay(
        lowers: $0.lowers, upper: $0.upper, work: $0.work, target: target($0),
        isVolatile: builder != .engine && isScratch($0))
    }
  }

  /// All overlays, for a builder that mounts them on the host's paths.
  var all: [Launch.Overlay] { entries.compactMap { overlay(at: $0.path) } }

  private func target(_ entry: Entry) -> String {
    guard builder == .bubblewrap else { return entry.path }
    let number = entries.firstIndex { $0.path == entry.path } ?? 0
    return "\(policy.scratch)/mount-\(number)"
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
