import FoundationEssentials
import Glibc
public import ProctorModel

/// Pieces of JavaScript, and of TypeScript by node or the transpiler of the project.
extension JestAdapter: CodeAdapter {
  public var codeLanguages: [CodeLanguage] {
    [
      CodeLanguage(
        name: "javascript", title: "JavaScript", aliases: ["js", "mjs", "cjs", "node"],
        fileName: "main.mjs"),
      CodeLanguage(
        name: "typescript", title: "TypeScript", aliases: ["ts", "mts", "cts"],
        fileName: "main.mts"),
    ]
  }

  public func plan(
    _ piece: CodePiece, _ context: AdapterContext
  ) throws(FunctionFailure) -> FunctionPlan {
    let guest = functionGuest(context)
    link(packages(context), for: piece)
    return FunctionPlan(
      builds: guest.installation,
      call: guest.run(piece, argv: [context.toolchain.main, guest.path("proctor_code.cjs")]))
  }

  /// The packages that the project's own files would find, nearest first.
  private func packages(_ context: AdapterContext) -> String? {
    var folder = context.projectDirectory
    while folder.count > 1 {
      let modules = "\(folder)/node_modules"
      if access(modules, R_OK | X_OK) == 0 { return modules }
      folder = folder.parentFolder
    }
    return nil
  }

  /// node looks for packages upward from the file that wants them.
  private func link(_ packages: String?, for piece: CodePiece) {
    guard let packages else { return }
    symlink(packages, "\(piece.folder.path)/node_modules")
  }
}
