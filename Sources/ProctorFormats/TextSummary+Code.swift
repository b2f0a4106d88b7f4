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
        let notes = [size, file.omitted].compactMap(\.self).joined(separator: ", ")
        return "\(name) \(file.path.harmless(multiline: false)) (\(notes))"
      }
      if files.omitted > 0 { lines.append("and \(files.omitted) more \(name)s") }
    }
    if let folder, !lines.isEmpty {
      lines.append("written to \(folder.harmless(multiline: false))")
    }
    let made =
      lines.isEmpty
      ? ""
      : style.mark("made", .faint) + "\n"
        + lines.joined(separator: "\n").indented(by: 2) + "\n"
    return made + render(answer.call, style: style)
  }
}
