import Foundation
import Testing

/// Files that hold what an answer must be, byte for byte.
///
/// `UPDATE_GOLDENS=1 swift test` writes them anew; read the difference by hand before committing.
enum Golden {
  static let repository = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static func check(
    _ data: Data, _ path: String, at location: SourceLocation = #_sourceLocation
  ) throws {
    let file = repository.appending(path: path)
    if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
      try data.write(to: file)
      return
    }
    let expected = try String(decoding: Data(contentsOf: file), as: UTF8.self)
    let actual = String(decoding: data, as: UTF8.self)
    #expect(actual == expected, "\(path) differs", sourceLocation: location)
  }

  /// The names of the folders in a folder.
  static func scenarios(_ folder: String) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: repository.appending(path: folder).path)
    return (names ?? []).filter { !$0.hasPrefix(".") }.sorted()
  }
}
