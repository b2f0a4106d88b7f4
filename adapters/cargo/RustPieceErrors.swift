import FoundationEssentials
import ProctorModel

/// Why a piece of Rust could not be compiled.
struct RustPieceErrors {
  let finished: FinishedInvocation
  let piece: CodePiece

  var failure: FunctionFailure {
    let lines = finished.stdout.split(separator: UInt8(ascii: "\n"))
    let errors = lines.compactMap {
      try? JSONDecoder().decode(CargoMessage.Diagnostic.self, from: Data($0))
    }.filter { $0.level.hasPrefix("error") && !$0.message.hasPrefix("aborting due to") }
    guard let error = errors.first(where: { !$0.spans.isEmpty }) ?? errors.first else {
      let words = String(decoding: finished.stdout.suffix(2000), as: UTF8.self)
      return FunctionFailure(
        .build, words.isEmpty ? "the compiler failed (\(finished.status.text))" : words)
    }
    let span = error.spans.first(where: \.is_primary) ?? error.spans.first
    return FunctionFailure(.build, error.message, at: span.map(location))
  }

  /// The compiler may have been given lines around the piece.
  private func location(_ span: CargoMessage.Span) -> SourceLocation {
    let source = FileManager.default.contents(atPath: piece.file) ?? Data()
    let isWrapped = !RustTokens(source).hasMain
    let lines = source.count { $0 == UInt8(ascii: "\n") } + 1
    let shift = isWrapped && span.line_start == 1 ? CargoAdapter.pieceBegin.utf8.count : 0
    return SourceLocation(
      file: piece.name, line: min(span.line_start, lines),
      column: max(1, span.column_start - shift))
  }
}

/// How a program of Rust ended, when not well.
struct RustPieceEnd {
  let finished: FinishedInvocation
  let piece: CodePiece

  /// `thread 'main' (1234) panicked at main.rs:2:5:`, the message in the lines after it.
  var failure: FunctionFailure {
    let text = String(decoding: finished.stderr, as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard case .exited(let code) = finished.status else {
      let overflow = lines.contains { $0.contains("has overflowed its stack") }
      return overflow
        ? FunctionFailure(.crashed, "the stack overflowed")
        : FunctionFailure(unexplained: finished)
    }
    if code == 101,
      let at = lines.lastIndex(where: {
        $0.hasPrefix("thread 'main' ") && $0.contains("panicked at ")
      }),
      let mark = lines[at].firstRange(of: "panicked at ")
    {
      let message = lines[(at + 1)...].prefix {
        !$0.hasPrefix("note: ") && !$0.hasPrefix("stack backtrace:")
      }
      .joined(separator: "\n")
      return FunctionFailure(.runtime, message.trimmed, at: location(lines[at][mark.upperBound...]))
    }
    if code == 1, let error = lines.last(where: { $0.hasPrefix("Error: ") }) {
      return FunctionFailure(.runtime, String(error.dropFirst("Error: ".count)))
    }
    return FunctionFailure(unexplained: finished)
  }

  private func location(_ place: Substring) -> SourceLocation? {
    let parts = place.split(separator: ":").map(String.init)
    guard parts.count >= 3, parts[0] == piece.language.fileName, let line = Int(parts[1]),
      let column = Int(parts[2])
    else { return nil }
    return SourceLocation(file: piece.name, line: line, column: column)
  }
}

extension String {
  /// Without line ends and blanks around it.
  fileprivate var trimmed: String {
    String(trimmingPrefix(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}
