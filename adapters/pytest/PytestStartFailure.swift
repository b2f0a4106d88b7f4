import ProctorModel

/// Why pytest ended before its plugins were started, read from what it printed.
struct PytestStartFailure {
  let text: String
  let context: AdapterContext

  func errors(exitCode: Int32) -> [RunError] {
    if text.contains("No module named pytest") {
      return [
        error(
          .dependency,
          "pytest is not installed for \(context.toolchain.main): "
            + "python -m pip install pytest (or apt install python3-pytest)")
      ]
    }
    if text.contains("while loading conftest") { return [conftest()] }
    guard exitCode == 4 || exitCode == 3 || exitCode == 1 else { return [] }
    let lines = text.split(separator: "\n").map(String.init)
    guard let line = lines.first(where: { $0.hasPrefix("ERROR:") }) else { return plain(lines) }
    // Wrong arguments: first how to use it, then what was wrong.
    let wrong = lines.first { $0.contains(": error: ") }
    let message = wrong ?? String(line.dropFirst(6).trimmingPrefix { $0 == " " })
    return [error(.configuration, message, at: configurationFile(message))]
  }

  /// `FILE:LINE: in <module>` lines, the last one being where it broke, then `E   Message`.
  private func conftest() -> RunError {
    let lines = text.split(separator: "\n").map(String.init)
    let places = lines.compactMap(Self.place)
    let message = lines.filter { $0.hasPrefix("E ") }
      .map { String($0.dropFirst(1).trimmingPrefix { $0 == " " }) }.joined(separator: "\n")
    return error(
      .collection, message.isEmpty ? lines.last ?? "conftest.py cannot be loaded" : message,
      at: places.last { context.isUserCode(context.display($0.file)) }.map {
        SourceLocation(file: context.display($0.file), line: $0.line)
      })
  }

  private static func place(_ line: String) -> (file: String, line: Int)? {
    let parts = line.split(separator: ":", maxSplits: 2)
    guard parts.count == 3, parts[2].hasPrefix(" in "), let number = Int(parts[1]) else {
      return nil
    }
    return (String(parts[0]), number)
  }

  /// `/path/pyproject.toml: Invalid statement (at line 1, column 5)`.
  private func configurationFile(_ message: String) -> SourceLocation? {
    guard let end = message.firstIndex(of: ":") else { return nil }
    let file = String(message[..<end])
    guard file.hasPrefix("/") else { return nil }
    func number(after word: String) -> Int? {
      message.firstRange(of: word).flatMap { Int(message[$0.upperBound...].prefix { $0.isNumber }) }
    }
    return SourceLocation(
      file: context.display(file), line: number(after: "line ") ?? number(after: ".ini:"),
      column: number(after: "column "))
  }

  private func plain(_ lines: [String]) -> [RunError] {
    let words = lines.suffix(8).joined(separator: "\n")
    return words.isEmpty ? [] : [error(.configuration, "pytest could not start: \(words)")]
  }

  private func error(
    _ stage: RunError.Stage, _ message: String, at location: SourceLocation? = nil
  ) -> RunError {
    RunError(
      stage: stage, adapter: context.project.adapter, message: message, location: location)
  }
}
