import FoundationEssentials
import ProctorModel

/// Understands why a function could not be compiled for a call.
struct RustFunctionErrors {
  let call: FunctionCall
  let context: AdapterContext
  let finished: FinishedInvocation

  private var diagnostics: [CargoMessage.Diagnostic] {
    let decoder = JSONDecoder()
    let lines = finished.stdout.split(separator: UInt8(ascii: "\n")).map { Data($0) }
    return lines.compactMap { line in
      // Without cargo, the compiler writes them bare.
      (try? decoder.decode(CargoMessage.self, from: line))?.message
        ?? (try? decoder.decode(CargoMessage.Diagnostic.self, from: line))
    }.filter {
      $0.level.hasPrefix("error") && !$0.message.hasPrefix("aborting due to")
    }
  }

  var failure: FunctionFailure {
    let source = RustSource(call.file, context)
    let all = diagnostics
    if let own = all.first(where: { !isAboutTheCall($0, source) && !$0.spans.isEmpty }) {
      let span = own.spans.first(where: \.is_primary) ?? own.spans[0]
      return FunctionFailure(
        .build, own.message,
        at: SourceLocation(
          file: context.display(span.file_name, relativeTo: finished.invocation.directory),
          line: span.line_start, column: span.column_start))
    }
    if let refused = all.lazy.compactMap({ refusal($0, source) }).first { return refused }
    let words = String(decoding: finished.stderr.suffix(4000), as: UTF8.self)
      .split(separator: "\n").filter { !$0.hasPrefix("{") }.suffix(8).joined(separator: "\n")
    let message = all.first.map { $0.message } ?? words
    return FunctionFailure(
      .build, message.isEmpty ? "the compiler failed (\(finished.status.text))" : message)
  }

  /// Whether it is about the lines that were added, or the harness behind them.
  private func isAboutTheCall(_ diagnostic: CargoMessage.Diagnostic, _ source: RustSource) -> Bool {
    diagnostic.spans.contains { span in
      guard span.is_primary else { return false }
      let file = context.display(span.file_name, relativeTo: finished.invocation.directory)
      return !context.isUserCode(file)
        || file == context.display(call.file) && span.line_start > source.lineCount
    }
  }

  private func refusal(
    _ diagnostic: CargoMessage.Diagnostic, _ source: RustSource
  ) -> FunctionFailure? {
    let text = diagnostic.message + "\n" + (diagnostic.rendered ?? "")
    switch diagnostic.code?.code {
    case "E0282", "E0283", "E0284":
      return FunctionFailure(
        .badArguments,
        "\(call.function) is generic: name its types, as in \(call.function)::<i32>")
    case "E0277" where text.contains("AsyncFunctionsAreNotSupported"):
      return FunctionFailure(.badArguments, "async functions of Rust cannot be called")
    case "E0277" where text.contains(": FromJson"):
      let type = text.firstRange(of: ": FromJson").map { end in
        text[..<end.lowerBound].split(separator: "`").last.map(String.init) ?? ""
      }
      return FunctionFailure(
        .badArguments,
        "\(call.function) takes \(type ?? "a type"), which has no JSON form; own types have one where "
          + "they implement serde's Deserialize and the crate depends on serde and serde_json")
    case "E0277" where text.contains("Call<"):
      return FunctionFailure(
        .badArguments,
        "\(call.function) cannot be called: it has more than 8 arguments, is unsafe or extern")
    case "E0603":
      return FunctionFailure(
        .badArguments, "\(call.function) is private to its module, which stands inside the file")
    case "E0277" where text.contains("Guest: ") && text.contains("Target"):
      return FunctionFailure(
        .build, "the file is not part of its crate: no `mod` names it",
        at: SourceLocation(file: context.display(call.file)))
    case "E0425", "E0433", "E0599", "E0412", "E0423":
      return FunctionFailure(
        .notFound, "no function \(call.function) in \(context.display(call.file))",
        near: source.near(call.function))
    default: return nil
    }
  }
}
