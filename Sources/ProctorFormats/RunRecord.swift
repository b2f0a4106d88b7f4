public import FoundationEssentials
public import ProctorModel

/// A run as it is kept: three lines of JSON, of which the first two can be read without the third.
///
///     a row of the list of runs
///     every test's outcome
///     the whole report, by `run_all_tests.schema.json`
public enum RunRecord {
  public static func encode(
    _ report: Report, row: RunRow, sources: [SourceExcerpt]
  ) -> Data {
    var buffer = JSONBuffer()
    buffer.append(ContractJSON.compact(row))
    buffer.append("\n")
    RunOutcomes(report).write(to: &buffer)
    buffer.append("\n")
    var whole = RunAllAnswer(report, details: false)
    // As the row has it: of what was asked for, a shard included.
    whole.selection = nil
    let answer = Joined(whole, RerunAnswer(report))
    buffer.append(ContractJSON.compact(answer).dropLast())
    buffer.append(#","run":"#, row.run)
    buffer.append(#","operation":"#, row.operation)
    buffer.append(#","selection":"#, row.selection)
    if !sources.isEmpty {
      buffer.append(#","sources":"#)
      buffer.append(ContractJSON.compact(sources))
    }
    buffer.append(#","tests":"#)
    buffer.append(list: report.tests) { TestRow($1).write(to: &$0) }
    buffer.append("}\n")
    return Data(buffer.bytes)
  }

  /// nil when it is none.
  public static func row(_ line: Data) -> RunRow? {
    try? JSONDecoder().decode(RunRow.self, from: line)
  }

  /// The report with what became of its tests before.
  /// - Parameters:
  ///   - report: the third line.
  ///   - past: the runs up to it, the oldest first, each with its second line.
  public static func report(_ report: Data, past: [(run: String, outcomes: Data)]) -> Data {
    let known = past.suffix(RunHistory.limit).compactMap { part in
      (try? JSONDecoder().decode(RunOutcomes.self, from: part.outcomes)).map {
        (run: part.run, outcomes: $0)
      }
    }
    guard report.last == UInt8(ascii: "}") else { return report }
    return report.dropLast() + Data(#","history":"#.utf8)
      + ContractJSON.compact(RunHistory(known)) + Data("}\n".utf8)
  }

  /// The answer of `GET /runs`.
  /// - Parameter rows: the newest first.
  public static func list(_ rows: [RunRow]) -> Data {
    ContractJSON.encode(["runs": rows])
  }
}
