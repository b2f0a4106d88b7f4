import FoundationEssentials
public import ProctorModel

/// Pieces of Swift, compiled as `main.swift`: with statements at the top, or with `@main`.
extension SwiftTestAdapter: CodeAdapter {
  public var codeLanguages: [CodeLanguage] {
    [CodeLanguage(name: "swift", title: "Swift", aliases: [], fileName: "main.swift")]
  }

  public func plan(
    _ piece: CodePiece, _ context: AdapterContext
  ) throws(FunctionFailure) -> FunctionPlan {
    let program = "\(piece.folder.build)/main"
    let source = String(
      decoding: FileManager.default.contents(atPath: piece.file) ?? Data(), as: UTF8.self)
    // A type that says it is the program is none beside statements.
    let isLibrary = source.split(separator: "\n").contains { line in
      line.drop { $0 == " " || $0 == "\t" }.hasPrefix("@main")
    }
    let build = Invocation(
      purpose: .build, title: "compiling the piece",
      argv: [
        context.toolchain.tools["swiftc"] ?? "swiftc", "-Onone", "-module-name", "main_piece",
        "-module-cache-path", "\(context.cache)/code-modules", "-suppress-warnings", "-o", program,
      ] + (isLibrary ? ["-parse-as-library"] : []) + [piece.file], directory: piece.folder.work,
      mounts: [
        .readOnly(piece.folder.path), .writable(piece.folder.build),
        .writable("\(context.cache)/code-modules"),
      ])
    let call = Invocation(
      purpose: .call, title: "running the piece", argv: [program],
      // A crash is told from the signal.
      environment: piece.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 },
      directory: piece.folder.work, mounts: piece.mounts)
    return FunctionPlan(builds: [build], call: call)
  }

  public func failure(
    of finished: FinishedInvocation, _ piece: CodePiece, _ context: AdapterContext
  ) -> FunctionFailure {
    guard finished.invocation.purpose != .call else {
      return SwiftPieceEnd(finished: finished, piece: piece).failure
    }
    let errors = SwiftBuildErrors(context: context, finished: finished).errors()
    guard let error = errors.first else { return FunctionFailure(unexplained: finished) }
    let location = error.location.map {
      SourceLocation(
        file: piece.display($0.file, context), line: $0.line, column: $0.column)
    }
    return FunctionFailure(.build, error.message, at: location)
  }
}

/// How a program of Swift ended, when not well.
struct SwiftPieceEnd {
  let finished: FinishedInvocation
  let piece: CodePiece

  /// `main_piece/main.swift:3: Fatal error: Index out of range`, and then a trap.
  var failure: FunctionFailure {
    let plain = FunctionFailure(unexplained: finished)
    guard finished.status.impliedSignal != nil else { return plain }
    for line in String(decoding: finished.stderr, as: UTF8.self).split(separator: "\n").reversed() {
      guard let mark = line.firstRange(of: ": Fatal error") else { continue }
      let words = line[mark.upperBound...].drop { $0 == ":" || $0 == " " }
      let place = line[..<mark.lowerBound].split(separator: ":")
      let file = place.first?.split(separator: "/").last.map(String.init)
      let location =
        file == piece.language.fileName && place.count == 2
        ? SourceLocation(file: piece.name, line: Int(place[1])) : nil
      return FunctionFailure(
        .runtime, words.isEmpty ? "Fatal error" : "Fatal error: \(words)", at: location)
    }
    return plain
  }
}
