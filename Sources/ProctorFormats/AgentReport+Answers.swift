import FoundationEssentials
public import ProctorModel

// The other answers told to a model: no times but where they are the answer, no colours, bounded.
extension AgentReport {
  /// Scalars of a result or of one stream that are shown.
  private static let valueShown = 3000

  public static func text(_ answer: FunctionAnswer) -> String {
    var blocks = [answer.failure.map(failure) ?? success(answer)]
    for (name, text) in [("stdout", answer.stdout), ("stderr", answer.stderr)]
    where !text.text.isEmpty {
      blocks.append("\(name):\n\(excerpt(text.text, most: valueShown / 2).quoted.trimmedEnd)")
    }
    blocks += answer.sandbox.map { denied($0, section: "execution") } ?? []
    if answer.sandbox?.backend == "none" { blocks.append("not isolated: ran bare on this machine") }
    return blocks.joined(separator: "\n") + "\n"
  }

  public static func text(_ answer: CodeAnswer) -> String {
    var lines: [String] = []
    for (name, files) in [("picture", answer.pictures), ("file", answer.files)] {
      lines += files.list.prefix(20).map { file in
        let notes = [file.bytes.map { "\($0) bytes" }, file.omitted].compactMap(\.self)
        return "\(name) \(clean(file.path, most: 200)) (\(notes.joined(separator: ", ")))"
      }
      let rest = files.list.dropFirst(20).count + files.omitted
      if rest > 0 { lines.append("and \(rest) more \(name)s") }
    }
    return text(answer.call) + lines.map { "\($0)\n" }.joined()
  }

  /// - Parameter workspace: absolute; left out of messages.
  public static func text(_ answer: CheckAnswer, workspace: String) -> String {
    func short(_ text: String, _ most: Int) -> String {
      clean(text.replacing("\(workspace)/", with: ""), most: most)
    }
    let reason = answer.reason.map { " (\($0.rawValue))" } ?? ""
    let message = answer.message.map { ": \(short($0, 600))" } ?? ""
    let verdict =
      switch answer.status {
      case .passed: "PASSED: no errors, \(answer.warnings) warnings"
      case .failed:
        "FAILED\(reason)\(message); \(answer.errors) errors, \(answer.warnings) warnings"
      case .error: "NO VERDICT\(reason)\(message)"
      case .nothingToCheck: "NOTHING TO CHECK\(message)"
      }
    let blocks = answer.diagnostics.map { diagnostic in
      let place = diagnostic.location.map { "\(short($0.text, 200)): " } ?? ""
      let code = diagnostic.code.map { "[\(short($0, 40))]" } ?? ""
      let source = diagnostic.source.map { "\n  | \(short($0, 160))" } ?? ""
      return
        "\(place)\(diagnostic.severity.rawValue)\(code): \(short(diagnostic.message, 400))\(source)"
    }
    return bounded([verdict], blocks, all: blocks.count + answer.omitted) {
      "and \($0) more diagnostics"
    }
  }

  public static func text(_ answer: ValidationAnswer) -> String {
    let all = answer.findings.count + answer.findingsOmitted
    let verdict =
      answer.isInterrupted
      ? "INTERRUPTED: not everything was judged"
      : "\(answer.score.level.rawValue) risk, \(answer.score.value) of 100: "
        + "\(all == 1 ? "1 finding" : "\(all) findings") in "
        + (answer.filesExamined == 1 ? "1 file" : "\(answer.filesExamined) files")
    let blocks =
      answer.findings.map { finding in
        let code = String(finding.code.drop(while: \.isWhitespace))
        return "\(finding.severity.rawValue) \(clean(finding.file, most: 200)):\(finding.line): "
          + "\(clean(finding.message, most: 200)) [\(finding.rule)]\n  | \(clean(code, most: 120))"
      }
      + answer.parseErrors.map { "not understood: \(clean($0.text, most: 200))" }
      + answer.unexamined.map {
        "not examined (\($0.reason.rawValue)): \(clean($0.file, most: 200))"
      }
    let count =
      blocks.count + answer.findingsOmitted + answer.parseErrorsOmitted + answer.unexaminedOmitted
    return bounded([verdict], blocks, all: count) { "and \($0) more findings" }
  }

  /// - Parameters:
  ///   - offset: the first test that is shown.
  ///   - next: the first that is not; nil when none is left.
  public static func text(
    _ listing: Listing, from offset: Int, next: Int?, workspace: String
  ) -> String {
    let word =
      switch listing.verdict.status {
      case .error: "NO VERDICT: "
      case .failed, .partialFailure: "FAILED: "
      case .noTests: "NO TESTS: "
      case .passed: ""
      }
    var head = ["\(word)\(listing.tests.count) tests"]
    if let message = listing.verdict.message {
      head.append(clean(message.replacing("\(workspace)/", with: ""), most: 600))
    }
    head += listing.errors.prefix(5).map { error in
      "\(error.stage.rawValue.uppercased()) ERROR \(error.location.map { "\(clean($0.text, most: 200)): " } ?? "")"
        + clean(error.message.replacing("\(workspace)/", with: ""), most: 300)
    }
    let shown = listing.tests[min(offset, listing.tests.count)..<(next ?? listing.tests.count)]
    let lines = shown.map { clean($0.id.text, most: 300) }
    let more = next.map { "Read on with list_tests {\"offset\": \($0)} and the same filter." }
    return (head + lines + [more].compactMap(\.self)).joined(separator: "\n") + "\n"
  }

  // MARK: parts

  private static func success(_ answer: FunctionAnswer) -> String {
    let result = answer.result.map {
      excerpt(String(decoding: $0, as: UTF8.self), most: valueShown)
    }
    let notes = [
      answer.form.map { $0 == "err" ? "an Err" : "as \($0)" },
      answer.isTruncated ? "cut: it had more items" : nil,
    ].compactMap(\.self)
    return
      "returned\(notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))"): \(result ?? "nothing")"
  }

  private static func failure(_ failure: FunctionFailure) -> String {
    let place = failure.location.map { "\(clean($0.text, most: 200)): " } ?? ""
    let near = failure.near.prefix(5).map {
      clean($0.name, most: 80) + ($0.line.map { " (line \($0))" } ?? "")
    }
    return
      "\(failure.kind.rawValue): \(place)\(excerpt(failure.message, most: 1500).replacing("\n", with: "\n| "))"
      + (near.isEmpty ? "" : "\nnearest: \(near.joined(separator: ", "))")
  }

  /// The beginning and the end, with its lines.
  static func excerpt(_ text: String, most: Int) -> String {
    let scalars = text.unicodeScalars
    let surplus = scalars.count - most
    guard surplus > 0 else { return text.harmless(multiline: true) }
    let (head, tail) = (scalars.prefix(most / 2), scalars.suffix(most - most / 2))
    return String(head).harmless(multiline: true) + "\n[... \(surplus) characters ...]\n"
      + String(tail).harmless(multiline: true)
  }

  /// As many of the blocks as there is room for.
  private static func bounded(
    _ head: [String], _ blocks: [String], all: Int, rest: (Int) -> String
  ) -> String {
    var left = defaultTokens - head.reduce(40) { $0 + TokenEstimate.of($1) }
    let shown = blocks.prefix { block in
      left -= TokenEstimate.of(block) + 1
      return left >= 0
    }
    let more = all - shown.count
    return (head + shown + (more > 0 ? [rest(more)] : [])).joined(separator: "\n") + "\n"
  }
}

extension FunctionAnswer {
  /// Bytes of each stream in an answer to a model.
  private static let outputKept = 3000
  /// Bytes of a result's JSON that are given whole.
  private static let resultKept = 16_384

  /// The same with less of what it printed and, where it is large, returned.
  public var brief: FunctionAnswer {
    let (result, form) = briefResult
    return FunctionAnswer(
      result: result, form: form, isTruncated: isTruncated, failure: failure,
      measurement: measurement, executionTimeMS: executionTimeMS, stdout: Self.brief(stdout),
      stderr: Self.brief(stderr), peakMemoryMB: peakMemoryMB, sandbox: sandbox,
      toolVersion: toolVersion)
  }

  /// Of a large result its beginning and its end, as a text.
  private var briefResult: (Data?, form: String?) {
    guard let result, result.count > Self.resultKept else { return (result, form) }
    let text = AgentReport.excerpt(
      String(decoding: result, as: UTF8.self), most: Self.resultKept / 4)
    return ((try? JSONEncoder().encode(text)) ?? Data("null".utf8), "excerpt")
  }

  private static func brief(_ text: CapturedText) -> CapturedText {
    let cut = CapturedText(bytes: text.text.utf8, limit: outputKept)
    return CapturedText(text: cut.text, omittedBytes: text.omittedBytes + cut.omittedBytes)
  }
}

extension CodeAnswer {
  /// Bytes of a file's text in an answer to a model.
  private static let contentKept = 2000

  /// The same with less of what it printed, and of files only short texts.
  public var brief: CodeAnswer {
    CodeAnswer(
      call: call.brief, exitCode: exitCode,
      pictures: Self.brief(pictures, why: "given as a picture"),
      files: Self.brief(files, why: "too large for this answer: print the part that matters"))
  }

  private static func brief(_ files: ProducedFiles, why: String) -> ProducedFiles {
    var brief = files
    brief.list = files.list.map { file in
      guard let content = file.content else { return file }
      let isShort =
        content.count <= contentKept && String(validating: content, as: UTF8.self) != nil
      return isShort
        ? file : ProducedFiles.File(path: file.path, bytes: file.bytes, content: nil, omitted: why)
    }
    return brief
  }
}
