import CSandbox
import FoundationEssentials
import Glibc

/// The same refusals as `CallFilter`'s, in the language of container engines: their own profiles let more
/// through.
struct EngineProfile: Encodable {
  struct Rule: Encodable {
    struct Argument: Encodable {
      var index: Int
      var value: UInt64
      /// For `SCMP_CMP_MASKED_EQ`, the mask stands in `value`.
      var valueTwo: UInt64 = 0
      var op: String
    }

    var names: [String]
    var action = "SCMP_ACT_ERRNO"
    var errnoRet: Int32
    var args: [Argument] = []
  }

  struct Architecture: Encodable {
    var architecture: String
    var subArchitectures: [String] = []
  }

  var defaultAction = "SCMP_ACT_ALLOW"
  var archMap = [
    Architecture(architecture: "SCMP_ARCH_X86_64"), Architecture(architecture: "SCMP_ARCH_AARCH64"),
  ]
  var syscalls: [Rule]

  init() {
    syscalls = [
      Rule(names: Self.names(csb_forbidden_call), errnoRet: EPERM),
      Rule(names: Self.names(csb_absent_call), errnoRet: ENOSYS),
    ]
    syscalls += Self.namespaces + Self.terminals + Self.bits + Self.sockets
    // 0xffffffff asks for the present one; these make memory executable or page 0 usable.
    syscalls += [0x0040_0000, 0x0010_0000].map {
      Self.masked(["personality"], 0, $0 | 0x8000_0000, $0)
    }
  }

  /// As a file's contents.
  static let bytes: [UInt8] = (try? JSONEncoder().encode(EngineProfile())).map { Array($0) } ?? []

  private static func names(_ at: (Int32) -> UnsafePointer<CChar>?) -> [String] {
    var result: [String] = []
    while let name = at(Int32(result.count)) { result.append(String(cString: name)) }
    return result
  }

  private static func masked(
    _ names: [String], _ index: Int, _ mask: UInt64, _ value: UInt64
  ) -> Rule {
    Rule(
      names: names, errnoRet: EPERM,
      args: [.init(index: index, value: mask, valueTwo: value, op: "SCMP_CMP_MASKED_EQ")])
  }

  private static var namespaces: [Rule] {
    let flags = [
      CSB_NEW_MOUNT, CSB_NEW_CGROUP, CSB_NEW_UTS, CSB_NEW_IPC, CSB_NEW_USER, CSB_NEW_PROCESS,
      CSB_NEW_NETWORK,
    ]
    return flags.map { masked(["clone"], 0, UInt64($0), UInt64($0)) }
  }

  private static var terminals: [Rule] {
    [UInt64(TIOCSTI), 0x541c].map { masked(["ioctl"], 1, 0xffff_ffff, $0) }
  }

  private static var bits: [Rule] {
    [UInt64(S_ISUID), UInt64(S_ISGID)].flatMap { bit in
      [
        masked(["chmod", "fchmod", "mknod"], 1, bit, bit),
        masked(["fchmodat", "mknodat"], 2, bit, bit),
      ]
    } + [Rule(names: ["fchmodat2"], errnoRet: ENOSYS)]
  }

  private static var sockets: [Rule] {
    let allowed = Set([AF_UNIX, AF_INET, AF_INET6, AF_NETLINK])
    let families = (0..<64).filter { !allowed.contains($0) }.map { family in
      Rule(
        names: ["socket"], errnoRet: EAFNOSUPPORT,
        args: [.init(index: 0, value: UInt64(family), op: "SCMP_CMP_EQ")])
    }
    // Of netlink only the one that tells of routes and addresses.
    let protocols = (1..<32).map { number in
      Rule(
        names: ["socket"], errnoRet: EAFNOSUPPORT,
        args: [
          .init(index: 0, value: UInt64(AF_NETLINK), op: "SCMP_CMP_EQ"),
          .init(index: 2, value: UInt64(number), op: "SCMP_CMP_EQ"),
        ])
    }
    return families + protocols
  }
}
