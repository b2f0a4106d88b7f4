import FoundationEssentials
public import ProctorModel
import ProctorSandbox

extension Engine {
  /// Findings that an answer holds when nothing else is asked for.
  public static let defaultFindings = 200

  /// Bytes of one piece of code; larger ones are not examined.
  public static let validationLimit = ValidationSource.sizeLimit

  /// Judges code by its syntax tree; nothing of it is run. Advice, never a wall.
  /// - Parameter most: findings in the answer; the score knows all.
  /// - Throws: `EngineError` when there is nothing to judge, or nothing to judge with.
  public func validate(
    _ subject: ValidationSubject, most: Int = defaultFindings
  ) async throws(EngineError) -> ValidationAnswer {
    let clock = ContinuousClock()
    let start = clock.now
    let read = try ValidationReader(walker: walker).read(subject)
    let cache = try CacheFolder(environment: options.environment)
    let host = LocalHost(
      workspace: workspace, environment: options.environment, memory: "\(cache.shared)/queries")
    let program = try AstGrep.program(on: host)
    let folder = try RunFolder(in: cache)
    Sandbox.sweep()
    let verdict = try await Judge(program: program, backend: judgesBackend, folder: folder.path)
      .matches(in: read.sources)
    return ValidationRecord(read: read, verdict: verdict, settings: configuration.validation)
      .answer(most: most, durationMS: (clock.now - start).milliseconds)
  }

  /// Images need not have ast-grep, and whoever runs code bare still wants hostile text read inside walls.
  private var judgesBackend: SandboxPolicy.Backend {
    switch isolation {
    case .namespaces: .namespaces
    case .bubblewrap: .bubblewrap
    case .auto, .docker, .wasm, .vm, .none: .automatic
    }
  }

  /// Whether the user must be asked before code is run, and what there is to say about it.
  public enum ConfirmationNeed: Sendable {
    case none
    /// - why: nil when every run is to be confirmed.
    case asked(why: String?)
  }

  /// Decides by the configuration and, only where that asks for nothing, by the risk of the code: what cannot
  /// be judged counts as risky. What is switched off is not asked about.
  public func confirmation(of subject: ValidationSubject) async -> ConfirmationNeed {
    guard configuration.execution.enabled else { return .none }
    if configuration.execution.requireUserConfirmation {
      return .asked(why: nil)
    }
    guard let threshold = configuration.validation.confirmAt, !isMissing(subject) else {
      return .none
    }
    do {
      let answer = try await validate(subject)
      let isUnread = !answer.unexamined.isEmpty || answer.unexaminedOmitted > 0
      guard answer.isInterrupted || isUnread || answer.score.level >= threshold else {
        return .none
      }
      return .asked(why: Self.reason(answer))
    } catch {
      return .asked(why: "its risk cannot be judged: \(error.message). \(error.resolution)")
    }
  }

  /// What is not there will not run, and whoever is to run it says so better.
  private func isMissing(_ subject: ValidationSubject) -> Bool {
    guard case .path(let path, let base, _) = subject else { return false }
    return FileSystem.realPath(path.hasPrefix("/") ? path : "\(base)/\(path)") == nil
  }

  private static func reason(_ answer: ValidationAnswer) -> String {
    let worst = answer.findings.max { $0.severity < $1.severity }
    let example = worst.map { ": \($0.message) (line \($0.line))" } ?? ""
    if let unread = answer.unexamined.first {
      return "the validator could not look at all of it (\(unread.reason.rawValue))"
    }
    return "its risk is \(answer.score.level.rawValue)\(example)"
  }
}
