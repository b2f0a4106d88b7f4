import ProctorModel

/// What a failed Rust test printed, understood.
struct RustPanic {
  let output: String
  let test: String
  let context: AdapterContext

  /// Where a panic message ends.
  private static let ends = [
    "stack backtrace:", "note: run with `RUST_BACKTRACE", "note: Some details are omitted",
  ]

  /// - Parameter note: libtest's own words, such as that a test did not panic as expected.
  func failure(note: String?) -> Failure {
    let panic = lastPanic()
    let message = [note, panic?.message].compactMap { $0.flatMap { $0.isEmpty ? nil : $0 } }
      .joined(separator: "\n")
    return Failure(
      message: message.isEmpty ? returnedError ?? "the test failed without a panic" : message,
      location: panic?.location, frames: [])
  }

  /// The last panic of the test's own thread; panics of other threads, and text that looks like one,
  /// name another thread.
  private func lastPanic() -> (message: String, location: SourceLocation?)? {
    let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
    guard let index = lines.lastIndex(where: { header($0) != nil }),
      let place = header(lines[index])
    else {
      return nil
    }
    let body = lines[(index + 1)...].prefix { line in !Self.ends.contains { line.hasPrefix($0) } }
    var message = body.joined(separator: "\n")
    while message.last?.isNewline == true { message.removeLast() }
    return (message, location(place))
  }

  /// Panics of all threads that tell their number: `thread '<unnamed>' (1234) panicked at ...`.
  var ofThreads: [(thread: Int, message: String, location: SourceLocation?)] {
    let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.indices.compactMap { index in
      let line = lines[index]
      guard line.hasPrefix("thread '"), line.hasSuffix(":"),
        let mark = line.firstRange(of: ") panicked at "),
        let open = line[..<mark.lowerBound].lastIndex(of: "("),
        let thread = Int(line[line.index(after: open)..<mark.lowerBound])
      else { return nil }
      let body = lines[(index + 1)...].prefix { line in
        !line.isEmpty && !Self.ends.contains { line.hasPrefix($0) }
      }
      return (
        thread, body.joined(separator: "\n"), location(line[mark.upperBound...].dropLast())
      )
    }
  }

  /// `thread 'NAME' (1234) panicked at FILE:LINE:COLUMN:`; the number is new in Rust 1.90.
  private func header(_ line: Substring) -> Substring? {
    guard line.hasPrefix("thread '\(test)' "), line.hasSuffix(":") else { return nil }
    var rest = line.dropFirst("thread '\(test)' ".count)
    if rest.hasPrefix("("), let end = rest.firstIndex(of: ")") {
      rest = rest[rest.index(after: end)...].drop { $0 == " " }
    }
    guard rest.hasPrefix("panicked at ") else { return nil }
    return rest.dropFirst("panicked at ".count).dropLast()
  }

  private func location(_ place: Substring) -> SourceLocation? {
    let parts = place.split(separator: ":")
    guard parts.count >= 3, let column = Int(parts[parts.count - 1]),
      let line = Int(parts[parts.count - 2])
    else { return nil }
    let file = context.display(parts.dropLast(2).joined(separator: ":"))
    return context.isUserCode(file) ? SourceLocation(file: file, line: line, column: column) : nil
  }

  /// A test that returned `Err` printed `Error: ...` and did not panic.
  private var returnedError: String? {
    let lines = output.split(separator: "\n")
    return lines.last { $0.hasPrefix("Error: ") }.map(String.init)
  }

  /// A documentation test runs as a program of its own, whose lines rustdoc does not map back; only
  /// the compiler's own locations are right.
  func documentationFailure() -> Failure {
    let lines = output.split(separator: "\n", omittingEmptySubsequences: false)
    if let error = lines.first(where: { $0.hasPrefix("error") }) {
      let arrow = lines.first { $0.drop { $0 == " " }.hasPrefix("--> ") }
        .map { $0.drop { $0 == " " }.dropFirst(4) }
      return Failure(message: String(error), location: arrow.flatMap(location))
    }
    guard
      let index = lines.lastIndex(where: {
        $0.hasPrefix("thread '") && $0.contains(" panicked at ")
      })
    else {
      return Failure(
        message: output.isEmpty ? "the documentation test failed" : String(output.prefix(2000)))
    }
    let body = lines[(index + 1)...].prefix { line in
      !Self.ends.contains { line.hasPrefix($0) } && !line.isEmpty
    }
    return Failure(message: body.joined(separator: "\n"))
  }
}
