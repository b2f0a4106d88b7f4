import CAttacks
public import Glibc

/// The attacker's side: this same program, started again for one attack.
public enum Probe {
  static let argument = "__attack"
  /// Printed before the attack, so that an attacker that could not start does not pass for a blocked one.
  static let greeting = "the attack begins"

  /// Runs the attack that the arguments name and ends the process; does nothing when they name none.
  public static func runIfAsked(_ arguments: [String]) {
    guard arguments.count == 14, arguments[1] == argument,
      let attack = Attack.all.first(where: { $0.name == arguments[2] }),
      let entry = attack_at(Int32(attack.index))
    else { return }
    print(greeting)
    fflush(nil)
    let texts = arguments.map { strdup($0) }
    var target = attack_target(
      secret: texts[3], token: texts[4], outside: texts[5], workspace: texts[6], area: texts[7],
      victim: pid_t(arguments[8]) ?? 0, tcp_port: Int32(arguments[9]) ?? 0,
      socket_path: texts[10], abstract_name: texts[11], queue_key: Int32(arguments[12]) ?? 0,
      descriptor: Int32(arguments[13]) ?? -1)
    exit(entry.pointee.run(&target))
  }
}
