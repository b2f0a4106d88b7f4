public import ProctorModel

/// A comparison as a table, for terminals and for Markdown.
public struct ComparisonTable {
  private let comparison: Comparison

  public init(_ comparison: Comparison) { self.comparison = comparison }

  private static let ownHeads = [
    "", "candidate", "verdict", "passed", "failed", "skipped", "regressions", "fixes", "tests",
    "change",
    "touches tests",
  ]

  /// One column a benchmark.
  private var benchmarks: [String] {
    comparison.rows.lazy.map { $0.benchmarks.map(\.name) }.first { !$0.isEmpty } ?? []
  }

  private var heads: [String] { Self.ownHeads + benchmarks }

  private var rows: [[String]] {
    let base =
      ["", "the workspace"] + cells(comparison.base) + ["", "", time(comparison.base), "", ""]
      + benchmarks.map { _ in "" }
    return [base]
      + comparison.rows.enumerated().map { index, row in
        let run = row.run.map(cells) ?? ["not run", "", "", ""]
        return ["\(index + 1)", row.name] + run + [
          row.run == nil ? "" : "\(row.regressions.count)",
          row.run == nil ? "" : "\(row.fixes.count)",
          row.run.map(time) ?? "", row.change.map(TextSummary.size) ?? "",
          row.touchesTests ? "yes" : "",
        ]
          + (row.benchmarks.isEmpty ? benchmarks.map { _ in "" } : row.benchmarks.map(cell))
      }
  }

  private func cells(_ run: Comparison.Run) -> [String] {
    [
      run.verdict.status.rawValue, "\(run.counts.passed)", "\(run.counts.failed)",
      "\(run.counts.skipped)",
    ]
  }

  private func cell(_ benchmark: Comparison.Benchmark) -> String {
    switch benchmark.outcome {
    case .compared(let comparison):
      comparison.verdict.rawValue
        + (comparison.ratio.map { " (\(TextSummary.decimals($0, 2)) times as long)" } ?? "")
    case .failed(let failure): failure.kind.rawValue
    case .notRun: "not run"
    }
  }

  /// What a cell has no room for.
  private func remark(_ benchmark: Comparison.Benchmark) -> String? {
    switch benchmark.outcome {
    case .compared(let comparison):
      comparison.warnings.isEmpty ? nil : comparison.warnings.joined(separator: "; ")
    case .failed(let failure): failure.message
    case .notRun(let why): "not run: \(why)"
    }
  }

  private func time(_ run: Comparison.Run) -> String { humanTime(run.testsMS) }

  /// What the table has no room for: problems, regressions, the tests that are touched.
  private var remarks: [String] {
    comparison.rows.flatMap { row -> [String] in
      var lines: [String] = []
      if let problem = row.problem { lines.append("\(row.name): \(problem)") }
      if let message = row.run?.verdict.message { lines.append("\(row.name): \(message)") }
      lines += row.benchmarks.compactMap { timed in
        remark(timed).map { "\(row.name), \(timed.name): \($0)" }
      }
      if !row.regressions.isEmpty {
        lines.append(
          "\(row.name) breaks: "
            + TextSummary.names(
              row.regressions.map { "\($0.id) (\($0.after?.rawValue ?? "gone"))" }))
      }
      if row.touchesTests {
        lines.append(
          "\(row.name) touches tests: " + TextSummary.names(row.change?.touchingTests ?? []))
      }
      return lines
    } + [conclusion]
  }

  private var conclusion: String {
    if comparison.isInterrupted { return "Interrupted: nothing is decided" }
    return comparison.best.map { "Best: \($0.name)" } ?? "No candidate passes without regressions"
  }

  public func text(style: TextStyle) -> String {
    let table = ([heads] + rows).map { $0.map { $0.harmless(multiline: false) } }
    let widths = heads.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
    let lines = table.enumerated().map { index, cells in
      let line = zip(cells, widths).map { $0.padded(to: $1) }.joined(separator: "  ")
      let plain = String(line.reversed().drop { $0 == " " }.reversed())
      return index == 0 ? style.mark(plain, .faint) : plain
    }
    return lines.joined(separator: "\n") + "\n\n"
      + remarks.map { $0.harmless(multiline: false) }.joined(separator: "\n") + "\n"
  }

  public func markdown() -> String {
    func line(_ cells: [String]) -> String {
      "| " + cells.map(Self.escaped).joined(separator: " | ") + " |"
    }
    return
      ([line(heads), "|" + heads.map { _ in " --- |" }.joined()] + rows.map(line))
      .joined(separator: "\n") + "\n\n"
      + remarks.map { "- \(Self.escaped($0))" }.joined(separator: "\n")
      + "\n"
  }

  /// Names come from anybody: none may end a cell, or be markup.
  private static func escaped(_ text: String) -> String {
    text.harmless(multiline: false).map { "\\|<>`*_[]&#".contains($0) ? "\\\($0)" : "\($0)" }
      .joined()
  }
}
