import ProctorFormats
import ProctorModel

/// Errors outside tests, found in a described runner's output.
struct ManifestErrors {
  private static let most = 50

  let manifest: AdapterManifest
  let context: AdapterContext

  /// What the manifest's patterns find.
  func matched(in output: String) -> [RunError] {
    var result: [RunError] = []
    for pattern in manifest.errors ?? [] {
      let expression = try? RegularExpression(pattern, multiline: true)
      for groups in (try? expression?.captures(in: output, most: Self.most)) ?? [] {
        let location = groups["file"].map {
          SourceLocation(
            file: context.display($0), line: groups["line"].flatMap { Int($0) },
            column: groups["column"].flatMap { Int($0) })
        }
        let error = RunError(
          stage: .build, adapter: context.project.adapter, message: groups["message"] ?? "error",
          location: location)
        if !result.contains(error) { result.append(error) }
      }
    }
    return result
  }

  /// Never empty: the end of the output when no pattern finds anything.
  func found(in output: String, otherwise what: String = "the build failed") -> [RunError] {
    let errors = matched(in: output)
    if !errors.isEmpty { return errors }
    let words = output.split(separator: "\n").suffix(8).joined(separator: "\n")
    return [
      RunError(
        stage: .build, adapter: context.project.adapter,
        message: words.isEmpty ? what : "\(what): \(words)")
    ]
  }
}
