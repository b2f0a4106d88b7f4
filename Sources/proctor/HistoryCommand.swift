import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorAudit
import ProctorEngine
import ProctorHistory

struct HistoryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "What became of a test, run by run; carry the record from machine to machine.",
    discussion: """
      Every run is recorded in the cache folder with its commit, branch, times and failures; docs/history.md says \
      what is kept, and for how long.

      EXAMPLES
        proctor history test_login                   the last part of a name, a full name or an id
        proctor history tests/test_api.py::test_login --branch main --since 7d
        proctor history show export                  a test that is called like a command
        proctor history export history.ndjson        for a CI job to keep as an artifact
        proctor history import one.ndjson two.ndjson what is there already stays once

      EXIT STATUS
        0 shown, exported or imported · 2 wrong usage, or a file that is no whole export · 4 no such test
        5 the history cannot be read or written
      """, subcommands: [Show.self, Export.self, Import.self], defaultSubcommand: Show.self)

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "What became of a test, the newest run first.",
      discussion: """
        EXAMPLES
          proctor history show test_login
          proctor history show 'pytest:.:tests/test_api.py::test_login' --limit 100 --format json
        """)

    @Argument(help: "The test: its id, its full name, or the last part of its name.")
    var test: String

    @OptionGroup var limit: HistoryLimitOption
    @OptionGroup var filter: HistoryFilterOptions
    @OptionGroup var options: HistoryOptions

    func run() throws {
      let wanted = try filter.filter()
      try options.give("history_show") { arguments in
        arguments.add("test", test)
        filter.add(to: &arguments)
      } _: { _, history in
        let tests = try history.tests(named: test).map {
          try history.history(of: $0, wanted, limit: limit.limit)
        }
        guard tests.isEmpty else {
          return HistoryOptions.Answer(
            json: HistoryAnswer.tests(tests, suggestions: []), text: HistoryText.tests(tests))
        }
        let names = try history.tests().map(\.id.fullName)
        let nearest = Suggestions.nearest(to: test, among: names)
        let hint = nearest.isEmpty ? "" : "\nNearest: \(nearest.joined(separator: ", "))"
        Console.error("proctor: the history has no test \(test)\(hint)")
        return HistoryOptions.Answer(
          json: HistoryAnswer.tests([], suggestions: nearest), text: "", exit: .noTests)
      }
    }
  }

  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "export", abstract: "Write all runs as lines of JSON.",
      discussion: """
        EXAMPLES
          proctor history export history.ndjson
          proctor history export --since 30d --branch main | gzip > history.ndjson.gz
        """)

    @Argument(help: "The file to write, replaced when it is there; standard output by default.")
    var file: String?

    @OptionGroup var filter: HistoryFilterOptions
    @OptionGroup var options: HistoryOptions

    func run() throws {
      let wanted = try filter.filter()
      try options.give("history_export") { arguments in
        arguments.add("file", file)
        filter.add(to: &arguments)
      } _: { _, history in
        guard let file, file != "-" else {
          _ = try history.export(wanted) { lines in
            guard Console.write(lines) else { throw AtomicFile.failure("standard output") }
          }
          return HistoryOptions.Answer(json: Data(), text: "")
        }
        let folder = FileManager.default.currentDirectoryPath
        let path = file.hasPrefix("/") ? file : "\(folder)/\(file)"
        let export = try AtomicFile.write(to: path) { write in
          try history.export(wanted, to: write)
        }
        return HistoryOptions.Answer(
          json: HistoryAnswer.exported(export, to: file),
          text: "wrote \(file): \(export.runs) runs, \(export.tests) outcomes of tests\n")
      }
    }
  }

  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "import", abstract: "Add the runs of exported histories.",
      discussion: """
        Files are read through first: where a line is wrong, nothing of any file is added. A run that is there already \
        stays as it is.

        EXAMPLES
          proctor history import history.ndjson
          proctor history import shard-*.ndjson
        """)

    @Argument(help: "What proctor history export wrote.")
    var files: [String]

    @OptionGroup var options: HistoryOptions

    func run() throws {
      try options.give("history_import") {
        $0.add("files", files)
      } _: { _, history in
        do throws(HistoryImportError) {
          try History.check(files)
        } catch {
          let message = error.problems.joined(separator: "\n")
          throw HistoryOptions.Refusal(
            error: EngineError(
              .usage, message, resolution: "Nothing was imported. Export it again."),
            json: HistoryAnswer.failure("nothing was imported", problems: error.problems))
        }
        let result = try history.add(files)
        let known = result.known > 0 ? ", \(result.known) were there already" : ""
        return HistoryOptions.Answer(
          json: HistoryAnswer.imported(result),
          text: "imported \(result.runs) runs, \(result.tests) outcomes of tests\(known)\n")
      }
    }
  }
}
