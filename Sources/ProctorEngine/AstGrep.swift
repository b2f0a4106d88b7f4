import ProctorModel

/// The program that matches rules against syntax trees.
enum AstGrep {
  static let installation = "pip install ast-grep-cli==0.51.1"
  private static let name = "ast-grep"

  /// In the virtual environment that is active, else on PATH; links resolved.
  ///
  /// An environment of the workspace that nobody activated is not asked: the code to be judged may have written it.
  static func program(on host: any Host) throws(EngineError) -> String {
    let active = host.environment["VIRTUAL_ENV"].map { "\($0)/bin/\(name)" }
    let found = active.flatMap { host.isExecutable($0) ? $0 : nil } ?? host.executable(named: name)
    guard let found, let program = host.realPath(found) else {
      throw EngineError(
        .sandbox, "\(name) is needed to judge code, and is not here",
        resolution: "Install it: \(installation), into the active virtual environment or on PATH.")
    }
    return program
  }
}
