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

  /// `/path/File.swift:12:5: error: message`.
  private func located(_ line: Substring) -> RunError? {
    guard line.hasPrefix("/"), let mark = line.firstRange(of: ": error: ") else { return nil }
    let place = line[..<mark.lowerBound].split(separator: ":")
    guard place.count >= 3, let column = Int(place[place.count - 1]),
      let row = Int(place[place.count - 2])
    else { return nil }
    let file = context.display(place.dropLast(2).joined(separator: ":"))
    let isManifest = file.hasSuffix("Package.swift")
    return RunError(
      stage: isManifest ? .configuration : .build, adapter: context.project.adapter,
      message: String(line[mark.upperBound...]),
      location: SourceLocation(file: file, line: row, column: column))
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
