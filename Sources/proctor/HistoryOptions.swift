import ArgumentParser
import FoundationEssentials
import ProctorAudit
import ProctorEngine
import ProctorFormats
import ProctorHistory
import ProctorServer
import ProctorStorage

enum HistoryFormat: String, ExpressibleByArgument, CaseIterable {
  case json, text
}

/// What every command about the history takes.
struct HistoryOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: ArgumentHelp("The workspace.", valueName: "dir"))
  var workspace = "."

  @Option(help: "json (documented by a schema) or text.")
  var format = HistoryFormat.text

  @Option(
    help: ArgumentHelp("Why, for the audit trail (proctor audit).", valueName: "text"))
  var reason: String?

  /// What a command answers.
  struct Answer {
    let json: Data
    let text: String
    var exit = ProctorExit.passed
  }

  /// Why there is no answer, where more can be said of it.
  struct Refusal: Error {
    let error: EngineError
    let json: Data
  }

  /// Does what a command is for, on record, and shows the answer.
  /// - Throws: the exit status.
  func give(
    _ operation: String, _ arguments: (inout AuditArguments) -> Void,
    _ body: (HistoryPlace, History) throws -> Answer
  ) throws {
    var command = CommandCall(
      operation, in: workspace, reason: reason, yes: false,
      EngineOptions(jobs: 1, environment: ProcessInfo.processInfo.environment))
    arguments(&command.arguments)
    let call: AuditedCall
    do {
      call = try command.begin()
    } catch {
      throw show(error, HistoryAnswer.failure(error.sentences))
    }
    do {
      let place = try HistoryPlace(workspace: workspace, options: command.options)
      let history = place.history { Console.error("proctor: \($0)") }
      let answer = try body(place, history)
      end(call, answer.json, answer.exit)
      Console.write(format == .json ? answer.json : Data(answer.text.utf8))
      throw answer.exit.code
    } catch let status as ExitCode {
      throw status
    } catch {
      let refusal = Self.refusal(error)
      end(call, refusal.json, ProctorExit(refusal.error))
      throw show(refusal.error, refusal.json)
    }
  }

  private func end(_ call: AuditedCall, _ json: Data, _ exit: ProctorExit) {
    call.end(
      AuditOutcome(answer: json, status: AuditOutcome.word(exit: exit.rawValue)),
      exitCode: Int(exit.rawValue))
  }

  private func show(_ error: EngineError, _ json: Data) -> ExitCode {
    if format == .json { Console.write(json) }
    Console.error("proctor: \(error.message)\n\(error.resolution)")
    return ProctorExit(error).code
  }

  private static func refusal(_ error: any Error) -> Refusal {
    if let refusal = error as? Refusal { return refusal }
    let known: EngineError =
      if let error = error as? EngineError {
        error
      } else if let error = error as? StorageError {
        EngineError(history: error)
      } else {
        EngineError(.storage, "\(error)", resolution: "Report this as a bug of proctor.")
      }
    return Refusal(error: known, json: HistoryAnswer.failure(known.sentences))
  }
}

/// Which runs are looked at.
struct HistoryFilterOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Only runs of this branch.", valueName: "name"))
  var branch: String?

  @Option(
    help: ArgumentHelp(
      "Only runs since then: 2h, 7d, 2026-11-22, 2026-11-22T10:00:00Z.", valueName: "time"))
  var since: String?

  func validate() throws { _ = try filter() }

  func filter() throws -> HistoryFilter {
    var filter = HistoryFilter(branch: branch)
    if let since {
      guard let moment = Timestamp.moment(since) else {
        throw ValidationError(
          "--since takes 90m, 2h, 7d, a day or a time such as 2026-11-22T10:00:00Z.")
      }
      filter.since = moment
    }
    return filter
  }

  func add(to arguments: inout AuditArguments) {
    arguments.add("branch", branch)
    arguments.add("since", since)
  }
}

/// How much of an answer is shown.
struct HistoryLimitOption: ParsableArguments {
  @Option(name: [.short, .long], help: ArgumentHelp("At most so many.", valueName: "n"))
  var limit = 20

  private static let range = 1...100_000

  func validate() throws {
    guard Self.range.contains(limit) else {
      throw ValidationError(
        "--limit takes a number from \(Self.range.lowerBound) to \(Self.range.upperBound).")
    }
  }
}
