import FoundationEssentials
import Glibc
import ProctorModel
import ProctorSandbox

/// Makes the folder of a piece of code.
struct CodeLayout {
  let piece: CodePiece
  /// In a container another user must be able to write.
  let container: SandboxPolicy.Container?

  func make(_ request: CodeRequest) throws(EngineError) {
    let folder = piece.folder
    let folders = [
      folder.scratch, folder.work, folder.output, folder.temporary, folder.pictures, folder.build,
    ]
    for path in folders {
      try FileSystem.makeFolder(path)
      give(path)
    }
    let reserved = [piece.language.fileName, CodeFolder.outputName]
    for (name, content) in request.files {
      guard !reserved.contains(name), !name.isEmpty, name != ".", name != "..", !name.contains("/")
      else {
        throw EngineError(
          .usage, "a file cannot be given to the piece as \(name)",
          resolution: "That name is taken in its working folder: give it another one.")
      }
      try lay(content, "\(folder.work)/\(name)")
    }
    try lay(request.source, piece.file)
  }

  private func lay(_ content: Data, _ path: String) throws(EngineError) {
    try FileSystem.write(content, to: path)
    give(path)
  }

  private func give(_ path: String) {
    guard let container, geteuid() == 0 else { return }
    chown(path, container.user, container.group)
  }
}
