public import ProctorModel

extension TextSummary {
  /// What the function printed, then its result, or why there is none.
  public static func render(_ answer: FunctionAnswer, style: TextStyle) -> String {
    var blocks: [String] = []
    for (name, text) in [("stdout", answer.stdout), ("stderr", answer.stderr)]
    where !text.text.isEmpty {
      let shown = text.text.harmless(multiline: true)
      blocks.append("\(style.mark(name, .faint))\n\(shown.indented(by: 2))")
    }
    blocks += answer.sandbox.map { sandbox($0, section: "execution", style) } ?? []
    blocks.append(answer.failure.map { failure($0, style) } ?? success(answer, style))
    return blocks.joined(separator: "\n") + "\n"
  }

  /// Text of anybody's for a terminal: on one line, control characters shown and not obeyed.
  public static func oneLine(_ text: String) -> String { text.harmless(multiline: false) }

  /// The same with its lines.
  public static func lines(_ text: String) -> String { text.harmless(multiline: true) }

  private static func success(_ answer: FunctionAnswer, _ style: TextStyle) -> String {
    var notes = [humanTime(answer.executionTimeMS)]
    switch answer.form {
    case "err": notes.append("an Err")
    case "debug": notes.append("as Debug text")
    case "reflection": notes.append("read by reflection")
    case "repr": notes.append("as text: it has no JSON form")
    default: break
    }
    if answer.isTruncated { notes.append("cut: it had more items") }
    if answer.sandbox?.backend == "none" { notes.append("not isolated: ran bare on this machine") }
    let result = answer.result.map { String(decoding: $0, as: UTF8.self) } ?? ""
    return (result.isEmpty ? "" : "\(result.harmless(multiline: true))\n")
      + style.mark("(\(notes.joined(separator: ", ")))", .faint)
  }

  private static func failure(_ failure: FunctionFailure, _ style: TextStyle) -> String {
    let place = failure.location.map { "\($0.text.harmless(multiline: false)): " } ?? ""
    let near = failure.near.map { neighbour in
      "\n  \(neighbour.name.harmless(multiline: false))"
        + (neighbour.line.map { " (line \($0))" } ?? "")
    }
    return style.mark(failure.kind.rawValue, .red) + " " + place
      + failure.message.harmless(multiline: true)
      + (near.isEmpty ? "" : "\nNearest:" + near.joined())
  }
}
