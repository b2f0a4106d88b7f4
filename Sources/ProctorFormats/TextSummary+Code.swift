public import ProctorModel

extension TextSummary {
  /// What the piece printed and made, then its result, or why it failed.
  /// - Parameter folder: where the files were written to; nil for nowhere.
  public static func render(
    _ answer: CodeAnswer, writtenTo folder: String?, style: TextStyle
  ) -> String {
    var lines: [String] = []
    for (name, files) in [("picture", answer.pictures), ("file", answer.files)] {
      lines += files.list.map { file in
        let size = file.bytes.map { "\($0) bytes" }
        let notes = [size, file.omitted, copied(file)].compactMap(\.self).joined(separator: ", ")
        return "\(name) \(file.path.harmless(multiline: false)) (\(notes))"
      }
      if files.omitted > 0 { lines.append("and \(files.omitted) more \(name)s") }
    }
    let isWritten = (answer.pictures.list + answer.files.list).contains {
      if case .written = $0.copy { true } else { false }
    }
    if let folder, isWritten {
      lines.append("written to \(folder.harmless(multiline: false))")
    }
    let made =
      lines.isEmpty
      ? ""
      : style.mark("made", .faint) + "\n"
        + lines.joined(separator: "\n").indented(by: 2) + "\n"
    return made + render(answer.call, style: style)
  }

  /// What its name and the folder do not tell already.
  private static func copied(_ file: ProducedFiles.File) -> String? {
    switch file.copy {
    case .failed(let why): "not written: \(why)"
    case .written(let name) where name != file.path && name != "pictures/\(file.path)":
      "as \(name.harmless(multiline: false))"
    case .written, nil: nil
    }
  }
}
