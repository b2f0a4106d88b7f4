import FoundationEssentials
import ProctorAdapters
import ProctorFormats
public import ProctorModel

/// What the user is asked before code runs; in words that move no cursor, whoever wrote the code.
public struct ConfirmationQuestion: Sendable, Hashable {
  /// What asks for an answer.
  public static let request = "AI wants to execute code. Allow?"

  /// Characters of a name that are shown.
  private static let nameShown = 200

  /// Whether it will run without a sandbox, and the function and its file, or what piece of code it is.
  public let what: String
  /// What the validator has against it, where only that demands the question.
  public let why: String?
  /// The arguments, or the code itself.
  private let code: String
  /// The settings in force, and the file as it was then.
  private let circumstances: [String]
  private let memory: ConfirmationMemory?

  /// - Parameters:
  ///   - names: with words between them.
  ///   - file: absolute; nil where the code itself is what would run.
  fileprivate init(
    _ engine: Engine, _ names: [String], code: String, why: String?, file: String? = nil
  ) {
    let what = names.map { name in
      let surplus = name.unicodeScalars.count - Self.nameShown
      return TextSummary.oneLine(
        surplus > 0 ? "\(name.unicodeScalars.prefix(Self.nameShown))[...]" : name)
    }
    self.what =
      (engine.isolation == .none ? "WITHOUT ISOLATION on this machine: " : "")
      + what.joined(separator: " ")
    self.why = why.map(TextSummary.oneLine)
    self.code = code
    let real = file.map { FileSystem.realPath($0) ?? $0 }
    let settings = [
      engine.isolation.rawValue, "\(engine.configuration.execution.resourceLimits())",
      "\(engine.configuration.execution.allowNetworkAccess)",
    ]
    circumstances =
      names + settings + (real.map { [WorkspaceStamp.identity(of: $0)] } ?? [])
    memory = ConfirmationMemory(
      engine, names + settings,
      content: real.map { ConfirmationMemory.content(of: $0) } ?? Data(code.utf8))
  }

  /// The user agreed to this code with these settings for as long as both stay as they are; arguments may differ.
  public var isRemembered: Bool { memory?.holds ?? false }

  /// From now on.
  public func remember() { memory?.keep() }

  /// The arguments or the code on one line.
  /// - Parameter most: scalars of the beginning and of the end.
  public func excerpt(_ most: Int) -> String {
    let scalars = code.unicodeScalars
    let surplus = scalars.count - 2 * most
    guard surplus > 0 else { return TextSummary.oneLine(code) }
    return TextSummary.oneLine(
      "\(scalars.prefix(most)) [... \(surplus) of \(scalars.count) characters are NOT SHOWN ...] "
        + "\(scalars.suffix(most))")
  }

  /// There is nobody to ask.
  /// - Parameters:
  ///   - lack: `there is no terminal to ask on`.
  ///   - remedy: `give --yes`.
  public func refusal(_ lack: String, remedy: String) -> FunctionFailure {
    let setting =
      why == nil
      ? "require_user_confirmation = false under [execution]" : "confirm_at under [validation]"
    return FunctionFailure(
      .refused,
      "running code needs a confirmation\(why.map { " (\($0))" } ?? ""), and \(lack): \(remedy), "
        + "or set \(setting) in \(Configuration.fileName)")
  }

  /// The user was asked.
  public static let declined = FunctionFailure(.refused, "the user did not allow it")

  /// What the user agreed to is not what would run.
  public static let changed = FunctionFailure(
    .refused,
    "the file or the settings changed while the user was asked about them; call again to have the user asked anew"
  )
}

extension Engine {
  /// What the user must be asked before a function is called; nil when the code may run.
  public func question(
    calling function: String, of path: String, arguments: String, base: String
  ) async -> ConfirmationQuestion? {
    guard case .asked(let why) = await confirmation(of: .path(path, base: base)) else { return nil }
    return ConfirmationQuestion(
      self, [function, "of", path], code: arguments, why: why,
      file: path.hasPrefix("/") ? path : "\(base)/\(path)")
  }

  /// What the user must be asked before a piece of code is run; nil when it may run.
  public func question(running request: CodeRequest) async -> ConfirmationQuestion? {
    // In a language that nobody knows nothing will run.
    guard codeLanguages.contains(where: { $0.answers(to: request.language) }),
      case .asked(let why) = await confirmation(of: request)
    else { return nil }
    return ConfirmationQuestion(
      self, ["\(request.language) code"] + (request.path.map { ["of", $0] } ?? []),
      code: String(decoding: request.source, as: UTF8.self), why: why)
  }
}
