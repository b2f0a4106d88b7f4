import FoundationEssentials
import Glibc
public import ProctorModel

/// Pieces of Python: by the interpreter itself, as a notebook would, or in RestrictedPython.
extension PytestAdapter: CodeAdapter {
  public var codeLanguages: [CodeLanguage] {
    [
      CodeLanguage(
        name: "python", title: "Python", aliases: ["py", "python3"], fileName: "main.py")
    ]
  }

  public func plan(
    _ piece: CodePiece, _ context: AdapterContext
  ) throws(FunctionFailure) -> FunctionPlan {
    let guest = functionGuest(context)
    let fonts = MatplotlibFonts(piece: piece, context: context)
    return FunctionPlan(
      builds: guest.installation + guest.compilation("proctor_host.py", python: context.toolchain)
        + guest.compilation("proctor_piece.py", python: context.toolchain) + fonts.listing,
      call: guest.run(
        piece,
        argv: [context.toolchain.main, "-B", "-X", "utf8", guest.path("proctor_code.py")],
        environment: [
          // Programs that the piece starts draw without a screen, too.
          "MPLBACKEND": "Agg", "MPLCONFIGDIR": "\(piece.folder.temporary)/matplotlib",
          "PROCTOR_FONTS": fonts.folder,
        ]))
  }
}

/// The machine's fonts as matplotlib lists them: looked for once, and not by every piece again, which takes it most
/// of a second and asks for caches that are not there.
struct MatplotlibFonts {
  let piece: CodePiece
  let context: AdapterContext

  /// One for each interpreter.
  var folder: String {
    let python = context.toolchain.main + "\0" + (context.toolchain.version ?? "")
    return "\(context.cache)/guest/matplotlib-\(Fingerprint.of(python))"
  }

  /// Nothing when the list is there, or the piece does not seem to draw.
  var listing: [Invocation] {
    let source = FileManager.default.contents(atPath: piece.file) ?? Data()
    let draws = ["matplotlib", "pylab", "seaborn", ".plot"].contains {
      source.firstRange(of: Data($0.utf8)) != nil
    }
    guard draws, access("\(folder)/listed", F_OK) != 0 else { return [] }
    return [
      Invocation(
        purpose: .build, title: "listing fonts",
        argv: [
          "/bin/sh", "-c",
          #"""
          mkdir -p "$1" && { "$0" -B -c 'import matplotlib.font_manager' >/dev/null 2>&1; : > "$1/listed"; }
          """#, context.toolchain.main, folder,
        ],
        environment: ["MPLCONFIGDIR": folder, "XDG_CACHE_HOME": "/tmp/cache"], directory: "/",
        mounts: [.writable("\(context.cache)/guest")])
    ]
  }
}
