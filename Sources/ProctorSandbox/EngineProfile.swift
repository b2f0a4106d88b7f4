import CSandbox
import FoundationEssentials

/// The refusals of `CallFilter` in the language of container engines: their own profiles let more through.
struct EngineProfile: Encodable {
  struct Rule: Encodable {
    var names: [String]
    var action = "SCMP_ACT_ERRNO"
    var errnoRet: Int32
    var args: [Argument]
  }

  struct Argument: Encodable, Hashable {
    var index: UInt32
    /// The mask.
    var value: UInt64
    var valueTwo: UInt64
    var op = "SCMP_CMP_MASKED_EQ"
  }

  struct Architecture: Encodable {
    var architecture: String
    var subArchitectures: [String] = []
  }

  private struct Refusal: Hashable {
    var error: Int32
    var arguments: [Argument]
  }

  var defaultAction = "SCMP_ACT_ALLOW"
  var archMap = [
    Architecture(architecture: "SCMP_ARCH_X86_64"), Architecture(architecture: "SCMP_ARCH_AARCH64"),
  ]
  var syscalls: [Rule]

  init() {
    var rules = [csb_call_rule](repeating: csb_call_rule(), count: csb_call_rules(nil, 0))
    csb_call_rules(&rules, rules.count)
    let names = Dictionary(grouping: rules) { rule in
      let arguments = [rule.arguments.0, rule.arguments.1].prefix(Int(rule.count))
      return Refusal(
        error: rule.error,
        arguments: arguments.map { Argument(index: $0.index, value: $0.mask, valueTwo: $0.value) })
    }
    syscalls = names.map { refusal, rules in
      Rule(
        names: rules.map { String(cString: $0.name) }, errnoRet: refusal.error,
        args: refusal.arguments)
    }
  }

  /// As a file's contents.
  static let bytes: [UInt8] = (try? JSONEncoder().encode(EngineProfile())).map { Array($0) } ?? []
}
