import ProctorModel

/// What rustc says of the code, as cargo passes it on.
struct CargoDiagnostics {
  let context: AdapterContext

  /// - Returns: nil for what says nothing of its own, such as how many errors there were.
  func diagnostic(_ message: CargoMessage) -> Diagnostic? {
    guard let diagnostic = message.message else { return nil }
    let severity: Diagnostic.Severity
    switch diagnostic.level {
    case let level where level.hasPrefix("error"): severity = .error
    case "warning": severity = .warning
    default: severity = .note
    }
    if diagnostic.spans.isEmpty, Self.isCount(diagnostic.message) { return nil }
    let span = diagnostic.spans.first(where: \.is_primary).map(userSpan)
    let isLinker = diagnostic.message.hasPrefix("linking with")
    let details = isLinker ? linkerDetails(diagnostic.rendered) : ""
    return Diagnostic(
      severity, by: .compile, diagnostic.message + details,
      at: span.map {
        SourceLocation(
          file: context.display($0.file_name), line: $0.line_start, column: $0.column_start)
      } ?? message.target.map { SourceLocation(file: context.display($0.src_path)) },
      endLine: span?.line_end, endColumn: span?.column_end, code: diagnostic.code?.code,
      adapter: context.project.adapter)
  }

  /// `aborting due to 2 previous errors`, `3 warnings emitted`.
  private static func isCount(_ message: String) -> Bool {
    message.hasPrefix("aborting due to") || message.hasSuffix(" emitted")
      || message.hasPrefix("For more information about")
      || message.hasPrefix("Some errors have detailed explanations")
  }

  /// Out of the macros of other crates, to where the user called them.
  private func userSpan(_ span: CargoMessage.Span) -> CargoMessage.Span {
    var current = span
    while !context.isUserCode(context.display(current.file_name)), let outer = current.expansion {
      current = outer
    }
    return current
  }

  private func linkerDetails(_ rendered: String?) -> String {
    let lines = (rendered ?? "").split(separator: "\n").filter {
      $0.contains("undefined reference") || $0.contains("cannot find")
        || $0.contains("undefined symbol")
    }
    return lines.prefix(5).map { "\n" + $0.trimmingPrefix { $0 == " " || $0 == "=" } }.joined()
  }
}
