import Glibc
import ProctorModel

/// The folders that a policy and a command name, in the order in which they are mounted.
struct FolderMounts {
  enum Mount {
    /// For the path inside.
    case overlay(Launch.Overlay, path: String)
    /// - Parameter from: its path on the host.
    case bind(String, from: String, isWritable: Bool)

    static func bind(_ path: String, isWritable: Bool) -> Mount {
      .bind(path, from: path, isWritable: isWritable)
    }

    /// Where it is inside.
    var path: String {
      switch self {
      case .overlay(_, let path), .bind(let path, _, _): path
      }
    }
  }

  let policy: SandboxPolicy
  let command: SandboxCommand
  let overlays: OverlayPlan

  /// Parents before what stands in them.
  var list: [Mount] {
    var result: [Mount] = []
    func overlaid(_ path: String, from source: String? = nil) {
      if let overlay = overlays.overlay(at: path) {
        result.append(.overlay(overlay, path: path))
      } else {
        result.append(.bind(path, from: source ?? path, isWritable: false))
      }
    }
    switch policy.access {
    case .protected: overlaid(policy.workspace, from: policy.source)
    case .readOnly, .writable:
      result.append(
        .bind(policy.workspace, from: policy.source, isWritable: policy.access == .writable))
    }
    for mount in policy.mounts {
      switch mount {
      case .readOnly(let given):
        let path = Paths.plain(given)
        if !isVisible(path), Paths.exists(path) { result.append(.bind(path, isWritable: false)) }
      case .writable(let path), .scratch(let path):
        result.append(.bind(path, isWritable: true))
      case .copyOnWrite(let path): overlaid(path)
      case .layered(_, let upper): overlaid(upper)
      }
    }
    result += command.visible.map { .bind($0, isWritable: false) }
    return result.enumerated().sorted {
      (Paths.depth($0.element.path), $0.offset) < (Paths.depth($1.element.path), $1.offset)
    }.map(\.element)
  }

  /// Whether the command sees a path anyway.
  private func isVisible(_ path: String) -> Bool {
    path.hasPrefix("/usr/") || Paths.isBelow(path, policy.workspace)
  }
}
