import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorAudit
import ProctorEngine
import ProctorFormats
import ProctorModel

struct Exec: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exec",
    abstract: "Call one function of a file with JSON arguments, in the sandbox.",
    discussion: """
      Python, JavaScript, TypeScript, Rust and Swift. Arguments are a JSON array, or an object of \
      named ones (Python, Swift). The limits are those of [execution] in proctor.toml.

      EXAMPLES
        proctor exec src/primes.py first_primes '[4]'
        proctor exec src/primes.py Sieve.below '{"limit": 30}' --yes
        proctor exec src/lib.rs add '[2, 3]' --isolation wasm
        proctor exec Sources/Shop/Cart.swift Cart.total '{"of": [1, 2], "rounded": true}'
        proctor exec src/sum.js total '[[1, 2]]' --isolation vm --format json

      EXIT STATUS
        0 it returned · 1 it failed · 2 wrong arguments, or no such function · 3 did not build
        6 timed out · 7 no sandbox · 8 not confirmed · 130 interrupted
      """)

  @OptionGroup var target: FunctionOptions

  func run() async throws {
    let answer = Answer(format: target.format, kind: .function)
    let target = target
    try await answer.give(target.command("execute_function")) {
      progress, audited throws(EngineError) in
      let call = WarmCall(target)
      let helper = WarmHelperClient(call)
      if target.common.yes {
        audited.confirmed(AuditConfirmation(.allowedAhead))
        if let printed = await helper?.ask(call) { return printed }
      }
      let engine = try Engine(workspace: target.workspace, options: target.engineOptions)
      if let refused = await target.refusal(engine, audited) {
        return .function(FunctionAnswer(refused))
      }
      if !target.common.yes, let printed = await helper?.ask(call) { return printed }
      // For the next call.
      defer { helper?.startHelper() }
      return .function(
        try await engine.execute(
          target.function, of: target.path, arguments: target.arguments, base: call.base,
          progress: progress))
    }
  }
}

/// Asks the user before code runs.
enum Confirmation {
  /// Characters of the arguments or the code that are shown, of the beginning and of the end.
  private static let shown = 400

  /// Asks about a call of a function when that is wanted; nil when the code may run.
  static func refusal(
    of function: String, in path: String, _ arguments: String, _ engine: Engine,
    _ call: AuditedCall
  ) async -> FunctionFailure? {
    let base = FileManager.default.currentDirectoryPath
    func question() async -> ConfirmationQuestion? {
      await engine.question(calling: function, of: path, arguments: arguments, base: base)
    }
    guard let asked = await question() else { return nil }
    if let refused = refusal(asked, call) { return refused }
    // The user read what was there before.
    return await question() == asked ? nil : ConfirmationQuestion.changed
  }

  /// - Returns: nil when the user agreed.
  static func refusal(_ question: ConfirmationQuestion, _ call: AuditedCall) -> FunctionFailure? {
    if question.isRemembered {
      call.confirmed(
        AuditConfirmation(.remembered, question: question.what, why: question.why))
      return nil
    }
    let refused = refusal(question)
    call.confirmed(
      AuditConfirmation(
        refused == nil ? .allowed : .refused, question: question.what, why: question.why))
    return refused
  }

  private static func refusal(_ question: ConfirmationQuestion) -> FunctionFailure? {
    guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
      return question.refusal("there is no terminal to ask on", remedy: "give --yes")
    }
    Console.error(question.excerpt(shown))
    Console.error(question.what)
    if let why = question.why { Console.error(why) }
    // What was typed before the question is no answer to it.
    tcflush(STDIN_FILENO, TCIFLUSH)
    Console.write(
      Data("\(ConfirmationQuestion.request) (y/n, a: always while it stays as it is) ".utf8),
      to: STDERR_FILENO)
    let answer = readLine()?.lowercased() ?? ""
    if ["a", "always"].contains(answer) {
      question.remember()
      return nil
    }
    return ["y", "yes"].contains(answer) ? nil : ConfirmationQuestion.declined
  }
}
