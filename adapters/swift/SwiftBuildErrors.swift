import ProctorModel

/// Errors of a failed `swift build`: compilers write to stdout, the package manager to stderr.
struct SwiftBuildErrors {
  let context: AdapterContext
  let finished: FinishedInvocation

  func errors() -> [RunError] {
    let stdout = String(decoding: finished.stdout, as: UTF8.self)
    let stderr = String(decoding: finished.stderr, as: UTF8.self)
    var result: [RunError] = []
    func add(_ error: RunError) { if !result.contains(error) { result.append(error) } }
    for line in (stdout + "\n" + stderr).split(separator: "\n") {
      located(line).map(add)
    }
    undefinedSymbols(stdout + stderr).forEach(add)
    if let dependency = missingDependency(stderr) { return [dependency] + result }
    if result.isEmpty { plain(stdout + "\n" + stderr).forEach(add) }
    return result
  }

  private func located(_ line: Substring) -> RunError? {
    guard let found = diagnostic(line), found.severity == .error else { return nil }
    let isManifest = found.location?.file.hasSuffix("Package.swift") == true
    return RunError(
      stage: isManifest ? .configuration : .build, adapter: context.project.adapter,
      message: found.message, location: found.location)
  }

  /// `/path/File.swift:12:5: error: message`, with a place that can be trusted, once each.
  func diagnostics() -> [Diagnostic] {
    var seen: Set<Diagnostic> = []
    let text =
      String(decoding: finished.stdout, as: UTF8.self) + "\n"
      + String(decoding: finished.stderr, as: UTF8.self)
    return text.split(separator: "\n").compactMap(diagnostic).filter { seen.insert($0).inserted }
  }

  private func diagnostic(_ line: Substring) -> Diagnostic? {
    guard line.hasPrefix("/") else { return nil }
    let marks = Diagnostic.Severity.allCases.compactMap { severity in
      line.firstRange(of: ": \(severity.rawValue): ").map { (severity, $0) }
    }
    guard let (severity, mark) = marks.min(by: { $0.1.lowerBound < $1.1.lowerBound }) else {
      return nil
    }
    let place = line[..<mark.lowerBound].split(separator: ":")
    guard place.count >= 3, let column = Int(place[place.count - 1]),
      let row = Int(place[place.count - 2])
    else { return nil }
    let file = context.display(place.dropLast(2).joined(separator: ":"))
    // `message [#Group]` or `[-Wgroup]`: the group is the code.
    let text = String(line[mark.upperBound...])
    let group = text.hasSuffix("]") ? text.lastIndex(of: "[") : nil
    let code = group.map { String(text[text.index(after: $0)...].dropLast()) }
      .flatMap { $0.hasPrefix("#") ? String($0.dropFirst()) : nil }
    return Diagnostic(
      severity, by: .compile, text,
      at: SourceLocation(file: file, line: row, column: column), code: code,
      adapter: context.project.adapter)
  }

  private func undefinedSymbols(_ text: String) -> [RunError] {
    text.split(separator: "\n").filter {
      $0.contains("undefined reference to") || $0.contains("undefined symbol:")
    }
    .map { line in
      let message =
        line.firstRange(of: "undefined").map { String(line[$0.lowerBound...]) } ?? String(line)
      return RunError(
        stage: .build, adapter: context.project.adapter, message: "link error: \(message)")
    }
  }

  private func missingDependency(_ stderr: String) -> RunError? {
    // Whatever then goes wrong: an offline build that wants to fetch lacks a dependency.
    let marks = ["Fetching ", "Failed to clone repository", "Could not resolve host"]
    guard marks.contains(where: stderr.contains) else { return nil }
    let url = stderr.firstRange(of: "Fetching ").map {
      stderr[$0.upperBound...].prefix { !$0.isWhitespace }
    }
    return RunError(
      stage: .dependency, adapter: context.project.adapter,
      message: "the package \(url ?? "it depends on") is not downloaded: run with --fetch",
      location: SourceLocation(file: context.display("Package.swift")))
  }

  /// `error: ...` lines of the package manager itself.
  private func plain(_ text: String) -> [RunError] {
    text.split(separator: "\n").compactMap { line in
      guard let mark = line.firstRange(of: "error: ") else { return nil }
      let message = String(line[mark.upperBound...])
      let isManifest = text.contains("Package.swift") || text.contains("manifest")
      return RunError(
        stage: isManifest ? .configuration : .build, adapter: context.project.adapter,
        message: message,
        location: isManifest ? SourceLocation(file: context.display("Package.swift")) : nil)
    }
  }
}
