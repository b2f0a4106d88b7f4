/// How a process ended, as the kernel told its supervisor.
public enum ExitStatus: Hashable, Sendable {
  case exited(Int32)
  /// Killed by this signal number.
  case signaled(Int32)

  public var isSuccess: Bool { self == .exited(0) }

  public var text: String {
    if let number = impliedSignal { return "signal \(number) (\(Self.signalName(number)))" }
    guard case .exited(let code) = self else { return "" }
    return "exit status \(code)"
  }

  /// A sandbox's inner init reports a signal death as 128 + number, like a shell.
  public var impliedSignal: Int32? {
    switch self {
    case .signaled(let number): number
    case .exited(let code): code > 128 && code < 160 ? code - 128 : nil
    }
  }

  public static func signalName(_ number: Int32) -> String {
    names[number] ?? "SIG\(number)"
  }

  private static let names: [Int32: String] = [
    1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS",
    8: "SIGFPE", 9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE",
    14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
  ]
}
