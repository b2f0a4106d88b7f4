import FoundationEssentials
public import ProctorModel

/// Pieces of Rust: a whole program, or statements that become the body of one.
extension CargoAdapter: CodeAdapter {
  public var codeLanguages: [CodeLanguage] {
    [CodeLanguage(name: "rust", title: "Rust", aliases: ["rs"], fileName: "main.rs")]
  }

  /// What is put before statements, on the first line, so that all lines keep their numbers; `?` may be used.
  static let pieceBegin = "fn main() -> Result<(), Box<dyn std::error::Error>> { "
  static let pieceEnd = "\n; Ok(()) }\n"

  /// Everything the compiler says is data, in one place; the dialect is the newest that all supported compilers have.
  private static let script = #"""
    if [ "$4" = statements ]; then
      { printf %s "$5" && cat main.rs && printf %s "$6"; } > "$2/main.rs" || exit 1
      cd "$2"
    fi
    exec "$1" --edition 2021 --crate-name main --crate-type bin --cap-lints=allow \
      --error-format=json -o "$3" main.rs 2>&1
    """#

  public func plan(
    _ piece: CodePiece, _ context: AdapterContext
  ) throws(FunctionFailure) -> FunctionPlan {
    let isProgram = RustTokens(FileManager.default.contents(atPath: piece.file) ?? Data()).hasMain
    let program = "\(piece.folder.build)/main"
    let build = Invocation(
      purpose: .build, title: "compiling the piece",
      argv: [
        "/bin/sh", "-c", Self.script, "sh", "\(context.toolchain.main.parentFolder)/rustc",
        piece.folder.build, program, isProgram ? "program" : "statements", Self.pieceBegin,
        Self.pieceEnd,
      ], directory: piece.folder.work,
      mounts: [.readOnly(piece.folder.path), .writable(piece.folder.build)])
    let call = Invocation(
      purpose: .call, title: "running the piece", argv: [program],
      environment: piece.environment, directory: piece.folder.work, mounts: piece.mounts)
    return FunctionPlan(builds: [build], call: call)
  }

  public func failure(
    of finished: FinishedInvocation, _ piece: CodePiece, _ context: AdapterContext
  ) -> FunctionFailure {
    finished.invocation.purpose == .call
      ? RustPieceEnd(finished: finished, piece: piece).failure
      : RustPieceErrors(finished: finished, piece: piece).failure
  }
}
