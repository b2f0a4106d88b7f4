import FoundationEssentials
import ProctorModel

/// The answer of `execute_code`: that of `execute_function`, and what the piece made.
struct CodeAnswerShape: Encodable {
  private let answer: CodeAnswer

  init(_ answer: CodeAnswer) { self.answer = answer }

  private enum CodingKeys: String, CodingKey {
    case exit_code, pictures, pictures_omitted, files, files_omitted
  }

  func encode(to encoder: any Encoder) throws {
    try FunctionAnswerShape(answer.call).encode(to: encoder)
    var keys = encoder.container(keyedBy: CodingKeys.self)
    try keys.encodeIfPresent(answer.exitCode, forKey: .exit_code)
    try keys.encodeIfPresent(
      answer.pictures.list.map { FileShape($0, key: \.name) }.nonEmpty, forKey: .pictures)
    try keys.encodeIfPresent(answer.pictures.omitted.nonZero, forKey: .pictures_omitted)
    try keys.encodeIfPresent(
      answer.files.list.map { FileShape($0, key: \.path) }.nonEmpty, forKey: .files)
    try keys.encodeIfPresent(answer.files.omitted.nonZero, forKey: .files_omitted)
  }
}

private struct FileShape: Encodable {
  var name: String?
  var path: String?
  let bytes: Int?
  let media_type: String?
  let text: String?
  let base64: String?
  let omitted: String?
  var written_to: String?
  var not_written: String?

  /// - Parameter key: which of the two has the path.
  init(_ file: ProducedFiles.File, key: WritableKeyPath<FileShape, String?>) {
    bytes = file.bytes
    omitted = file.omitted
    switch file.copy {
    case .written(let name): written_to = name
    case .failed(let why): not_written = why
    case nil: break
    }
    // A zero is in no text.
    let text = file.content.flatMap {
      $0.contains(0) ? nil : String(validating: $0, as: UTF8.self)
    }
    media_type = file.content.map { _ in MediaType.of(file.path, isText: text != nil) }
    self.text = text
    base64 = text == nil ? file.content?.base64EncodedString() : nil
    self[keyPath: key] = file.path
  }
}

/// What files are, by their names.
private enum MediaType {
  private static let known = [
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif",
    "webp": "image/webp", "svg": "image/svg+xml", "pdf": "application/pdf",
    "json": "application/json", "xml": "application/xml", "zip": "application/zip",
    "gz": "application/gzip", "csv": "text/csv", "tsv": "text/tab-separated-values",
    "html": "text/html", "md": "text/markdown", "txt": "text/plain",
  ]

  static func of(_ path: String, isText: Bool) -> String {
    let parts = path.split(separator: "/").last?.split(separator: ".") ?? []
    let ending = parts.count > 1 ? parts.last?.lowercased() ?? "" : ""
    return known[ending] ?? (isText ? "text/plain" : "application/octet-stream")
  }
}

extension Int {
  fileprivate var nonZero: Int? { self == 0 ? nil : self }
}
