import ProctorFormats
public import ProctorModel

/// What the user is asked before code runs; in words that move no cursor, whoever wrote the code.
public struct ConfirmationQuestion: Sendable {
  /// What asks for an answer.
  public static let request = "AI wants to execute code. Allow?"

  /// The function and its file, or what piece of code it is, and whether it will run without a sandbox.
  public let what: String
  /// What the validator has against it, where only that demands the question.
  public let why: String?
  /// The arguments, or the code itself.
  private let code: String

  init(what: String, code: String, why: String?, isBare: Bool) {
    self.what =
      TextSummary.oneLine(what) + (isBare ? ", WITHOUT ISOLATION on this machine" : "")
    self.why = why.map(TextSummary.oneLine)
    self.code = code
  }

  /// The arguments or the code on one line.
  /// - Parameter most: characters of the beginning and of the end.
  public func excerpt(_ most: Int) -> String {
    TextSummary.oneLine(
      code.count <= 2 * most ? code : "\(code.prefix(most)) [...] \(code.suffix(most))")
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
}

extension Engine {
  /// What the user must be asked before a function is called; nil when the code may run.
  public func question(
    calling function: String, of path: String, arguments: String, base: String
  ) async -> ConfirmationQuestion? {
    guard case .asked(let why) = await confirmation(of: .path(path, base: base)) else { return nil }
    return ConfirmationQuestion(
      what: "\(function) of \(path)", code: arguments, why: why, isBare: isolation == .none)
  }

  /// What the user must be asked before a piece of code is run; nil when it may run.
  public func question(running request: CodeRequest) async -> ConfirmationQuestion? {
    // In a language that nobody knows nothing will run.
    guard codeLanguages.contains(where: { $0.answers(to: request.language) }),
      case .asked(let why) = await confirmation(of: request)
    else { return nil }
    return ConfirmationQuestion(
      what: "\(request.language) code\(request.path.map { " of \($0)" } ?? "")",
      code: String(decoding: request.source, as: UTF8.self), why: why, isBare: isolation == .none)
  }
}
