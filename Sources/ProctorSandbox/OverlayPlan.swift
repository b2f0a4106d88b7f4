import CSandbox
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

  /// In the launcher's root.
  static let memoryPlace = "\(Namespaces.store)/layers"

  let policy: SandboxPolicy
  let storage: OverlayStorage
  let builder: Builder

  /// The empty folder that becomes the launcher's new root.
  var root: String { "\(policy.scratch)/root" }

  /// Whether what is written to scratch layers is in memory.
  private var isInMemory: Bool {
    switch storage {
    case .memory: true
    case .disk: !policy.keepsWrites && builder == .launcher && Self.memoryHoldsMarks
    case .none: false
    }
  }

  /// Overlays mark folders with attributes, which memory file systems have had for users since Linux 6.6.
  private static let memoryHoldsMarks = csb_memory_holds_attributes() != 0

  /// Where scratch layers are: a path of the host while the root is being built.
  private var base: String {
    switch (isInMemory, builder) {
    case (true, .launcher): root + Self.memoryPlace
    case (true, _): "\(policy.scratch)/memory"
    case (false, _): policy.scratch
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
          path: policy.workspace, lowers: [policy.source], upper: "\(base)/workspace-upper",
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
    policy.access == .protected && storage == .disk && !isInMemory
      ? "\(base)/workspace-upper" : nil
  }

  /// Makes what must stand before the start; false when the disk refuses.
  func prepare() -> Bool {
    var folders = policyFolders
    switch builder {
    case .launcher: folders.append(root)
    case .bubblewrap: folders += entries.map(target) + (isInMemory ? [base] : [])
    case .engine: break
    }
    if !isInMemory {
      if !policy.keepsWrites {
        entries.filter(isScratch).compactMap(\.upper).forEach {
          try? FileManager.default.removeItem(atPath: $0)
        }
      }
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

  private func isScratch(_ entry: Entry) -> Bool { entry.upper?.hasPrefix(base + "/") == true }

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
    (isInMemory ? [] : entries.compactMap(\.upper)) + policyFolders
      + (policy.access == .writable ? [policy.source] : [])
  }

  var hasMemoryLayers: Bool { isInMemory && !entries.isEmpty }

  /// What makes the layers in memory, as steps before the overlays.
  var layerSteps: [Launch.Step] {
    guard hasMemoryLayers else { return [] }
    let folders = entries.filter(isScratch).flatMap(layers)
    guard builder != .launcher else {
      return folders.map { .folder(String($0.dropFirst(root.count)), mode: 0o700) }
    }
    return [.tmpfs(base, options: policy.limits.scratchOptions)]
      + folders.map { .folder($0, mode: 0o700) }
  }

  /// The overlay that stands for a path; nil when there is none.
  func overlay(at path: String) -> Launch.Overlay? {
    entries.first { $0.path == path }.map {
      Launch.Overlay(
        lowers: $0.lowers, upper: $0.upper, work: $0.work, target: target($0),
        isVolatile: builder != .engine && !isInMemory && isScratch($0))
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
    guard policy.access == .protected, storage != .none else { return [] }
    return ["copy-on-write workspace" + (isInMemory ? " (in memory)" : "")]
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
