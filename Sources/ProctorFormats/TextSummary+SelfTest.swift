public import ProctorModel

extension TextSummary {
  /// The attacks by category, what got through first of all to be seen.
  public static func render(_ answer: SelfTestAnswer, style: TextStyle) -> String {
    var lines = ["\(answer.backend): \(answer.layers.joined(separator: ", "))"]
    var category = ""
    for attack in answer.attacks {
      if attack.category != category {
        category = attack.category
        lines += ["", category]
      }
      let (word, mark): (String, TextStyle.Mark) =
        switch attack.outcome {
        case .blocked: ("blocked       ", .green)
        case .gotThrough: ("GOT THROUGH   ", .red)
        case .notApplicable: ("not applicable", .faint)
        }
      let detail = attack.detail.map { "  \($0.harmless(multiline: false))" } ?? ""
      lines.append("  \(style.mark(word, mark)) \(attack.name.padded(to: 26))\(detail)")
    }
    let through = answer.count(.gotThrough)
    let numbers =
      "\(answer.count(.blocked)) blocked, \(through) got through, "
      + "\(answer.count(.notApplicable)) not applicable"
    let word =
      switch (through, answer.complete) {
      case (0, true): style.mark("HELD", .green)
      case (0, false): style.mark("INTERRUPTED", .yellow)
      default: style.mark("BROKEN", .red)
      }
    lines += ["", "\(word) \(numbers)"]
    return lines.joined(separator: "\n") + "\n"
  }
}
