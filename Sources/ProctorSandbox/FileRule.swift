import CSandbox

/// What Landlock lets the command do at and below a path.
struct FileRule {
  /// Landlock's access rights, as the kernel numbers them.
  struct Rights: OptionSet {
    let rawValue: UInt64
    static let execute = Rights(rawValue: 1)
    static let writeFile = Rights(rawValue: 1 << 1)
    static let readFile = Rights(rawValue: 1 << 2)
    static let readFolder = Rights(rawValue: 1 << 3)
    static let control = Rights(rawValue: 1 << 15)

    static let read: Rights = [.execute, .readFile, .readFolder]
    /// Everything up to moving between folders (version 2), truncating (3) and device control (5).
    static func all(_ version: Int) -> Rights {
      var bits: UInt64 = (1 << 13) - 1
      if version >= 2 { bits |= 1 << 13 }
      if version >= 3 { bits |= 1 << 14 }
      if version >= 5 { bits |= 1 << 15 }
      return Rights(rawValue: bits)
    }
    /// Everything but making devices and controlling them.
    static func change(_ version: Int) -> Rights {
      Rights(rawValue: all(version).rawValue & ~(1 << 6 | 1 << 11 | 1 << 15))
    }
  }

  let path: String
  let rights: Rights

  /// 0 where the kernel has no Landlock.
  static let version = Int(csb_landlock_version())

  /// Abstract sockets of the host cannot be reached, whatever the network. Signals need no such scope: they
  /// stay in the process namespace.
  static var scopes: UInt64 { version >= 6 ? 1 : 0 }
}
