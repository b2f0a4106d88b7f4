public import ProctorModel

extension TextSummary {
  /// The figures and a histogram, or why there are none.
  public static func render(_ answer: BenchmarkAnswer, style: TextStyle) -> String {
    guard let figures = SampleStatistics(answer.samples) else { return failed(answer, style) }
    var blocks = answer.call.sandbox.map { sandbox($0, section: "execution", style) } ?? []
    blocks.append(figureLines(figures, answer, style).joined(separator: "\n"))
    blocks.append(histogram(figures, style).joined(separator: "\n"))
    if let comparison = answer.comparison {
      blocks.append(compared(comparison, style).joined(separator: "\n"))
    }
    let warnings = answer.warnings.map {
      "\(style.mark("note", .yellow)) \($0.harmless(multiline: false))"
    }
    if !warnings.isEmpty { blocks.append(warnings.joined(separator: "\n")) }
    return blocks.joined(separator: "\n\n") + "\n"
  }

  private static func failed(_ answer: BenchmarkAnswer, _ style: TextStyle) -> String {
    let text = render(answer.call, style: style)
    guard let iteration = answer.failure?.iteration else { return text }
    return text
      + style.mark(
        "(in call \(iteration.number)\(iteration.isAtLeast ? " or later" : ""), warm-up counted)",
        .faint) + "\n"
  }

  private static func figureLines(
    _ figures: SampleStatistics, _ answer: BenchmarkAnswer, _ style: TextStyle
  ) -> [String] {
    func row(_ name: String, _ value: String) -> String {
      "  \(style.mark(name.padded(to: 8), .faint)) \(value)"
    }
    let interval =
      figures.medianInterval.map {
        "   (95 % between \(brief($0.lower)) and \(brief($0.upper)))"
      } ?? ""
    let spread = figures.standardDeviation.map { " ± \(brief($0))" } ?? ""
    let batches =
      answer.batchSize > 1 ? ", \(figures.count) samples of \(answer.batchSize)" : ""
    let name = answer.subject?.function.harmless(multiline: false) ?? ""
    let bare = answer.call.sandbox?.backend == "none" ? "; not isolated: ran bare" : ""
    return [
      "\(style.mark(name, .bold)): \(answer.iterations) calls\(batches), after "
        + "\(answer.warmupIterations) to warm up\(bare)",
      row("median", style.mark(brief(figures.median), .bold) + interval),
      row("mean", brief(answer.meanMS) + spread),
      row("range", "\(brief(figures.minimum)) … \(brief(figures.maximum))"),
      row("p95, p99", "\(brief(figures.p95)), \(brief(figures.p99))"),
      row(
        "outliers",
        "\(figures.outliers) of \(figures.count)"
          + (figures.severeOutliers > 0 ? ", \(figures.severeOutliers) of them severe" : "")),
      row("gc", (answer.measurements.first?.collector ?? "").harmless(multiline: false)),
    ]
  }

  private static let barWidth = 40

  private static func histogram(_ figures: SampleStatistics, _ style: TextStyle) -> [String] {
    let bins = figures.histogram()
    let most = bins.map(\.count).max() ?? 0
    return bins.map { bin in
      // A bar for whatever is there.
      let length =
        bin.count == 0 ? 0 : max(1, bin.count * barWidth / max(1, most))
      let bar = String(repeating: style == .ansi ? "█" : "#", count: length)
      return "  \(brief(bin.lower).leftPadded(to: 9)) \(bar.padded(to: barWidth)) \(bin.count)"
    }
  }

  private static func compared(
    _ comparison: BenchmarkComparison, _ style: TextStyle
  ) -> [String] {
    let (mark, relation): (TextStyle.Mark, String) =
      switch comparison.verdict {
      case .faster: (.green, "than")
      case .slower: (.red, "than")
      case .noDifference: (.bold, "from")
      case .unknown: (.yellow, "against")
      }
    let interval =
      comparison.interval.map {
        " (95 % between \(decimals($0.lower, 3)) and \(decimals($0.upper, 3)))"
      } ?? ""
    var lines = [
      "\(style.mark(comparison.verdict.rawValue, mark)) \(relation) \(comparison.baseline.harmless(multiline: false)): "
        + "\(brief(comparison.oldMedianMS)) then, \(brief(comparison.newMedianMS)) now",
      comparison.ratio.map {
        "  \(decimals($0, 3)) times as long\(interval); "
          + "less than \(Int(BenchmarkComparison.threshold * 100)) % counts as noise"
      },
      "  \(decimals(comparison.probabilitySlower * 100, 0)) % of the calls now are longer than then; "
        + "p \(comparison.pValue < 0.001 ? "< 0.001" : "= " + decimals(comparison.pValue, 3))",
    ].compactMap(\.self)
    if !comparison.rounds.isEmpty {
      let ratios = comparison.rounds.map { decimals($0, 2) }.joined(separator: ", ")
      lines.append("  ratios of the rounds: \(ratios)")
    }
    return lines
  }

  /// Milliseconds with three digits, in the unit that suits: `12.3 µs`.
  static func brief(_ milliseconds: Double) -> String {
    guard milliseconds.isFinite, milliseconds < 1e12 else { return "unknown time" }
    let (value, unit): (Double, String) =
      switch milliseconds {
      case ..<0.000_999_5: (milliseconds * 1e6, "ns")
      case ..<0.999_5: (milliseconds * 1e3, "µs")
      case ..<999.5: (milliseconds, "ms")
      default: (milliseconds / 1e3, "s")
      }
    return "\(decimals(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0)) \(unit)"
  }

  static func decimals(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, value.magnitude < 1e12 else { return "very large" }
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((value.magnitude * Double(scale)).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(scaled)" }
    let rest = String(scaled % scale)
    return "\(sign)\(scaled / scale).\(String(repeating: "0", count: digits - rest.count))\(rest)"
  }
}

extension String {
  fileprivate func leftPadded(to width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }
}
