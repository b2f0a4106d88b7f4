import Foundation

/// Runs the built `proctor` as a user would.
struct ProctorProcess {
  struct Outcome {
    let status: Int32
    let stdout: Data
    let stderr: String

    var text: String { String(decoding: stdout, as: UTF8.self) }

    func json() throws -> [String: Any] {
      let value = try JSONSerialization.jsonObject(with: stdout)
      guard let object = value as? [String: Any] else {
        throw FixtureError("not a JSON object: \(text.prefix(300))")
      }
      return object
    }
  }

  static let repository = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  /// Beside the test bundle, in the same build folder.
  static let binary: String = {
    let bundle = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
    return bundle.deletingLastPathComponent().appending(path: "proctor").path
  }()

  /// One cache for the whole suite, so that observers and fixtures are compiled once.
  static let cache = "\(repository)/.cache/proctor"

  static var environment: [String: String] {
    var result = ProcessInfo.processInfo.environment
    result["PROCTOR_CACHE_DIR"] = cache
    result["VIRTUAL_ENV"] = "\(repository)/.cache/python"
    result["CI"] = nil
    // No helper outlives the suite.
    result["PROCTOR_WARM"] = "off"
    return result
  }

  let arguments: [String]
  var directory: String
  var environment = ProctorProcess.environment

  init(_ arguments: [String], in directory: String) {
    self.arguments = arguments
    self.directory = directory
  }

  func start() throws -> Running {
    let process = Process()
    process.executableURL = URL(filePath: Self.binary)
    process.arguments = arguments
    process.currentDirectoryURL = URL(filePath: directory)
    process.environment = environment
    let files = try TemporaryFolder()
    let stdout = try files.write(Data(), to: "stdout")
    let stderr = try files.write(Data(), to: "stderr")
    process.standardOutput = FileHandle(forWritingAtPath: stdout)
    process.standardError = FileHandle(forWritingAtPath: stderr)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return Running(process: process, files: files)
  }

  func run() throws -> Outcome { try start().wait() }

  final class Running {
    let process: Process
    let files: TemporaryFolder

    init(process: Process, files: TemporaryFolder) {
      self.process = process
      self.files = files
    }

    func wait() throws -> Outcome {
      process.waitUntilExit()
      return Outcome(
        status: process.terminationReason == .uncaughtSignal
          ? 128 + process.terminationStatus : process.terminationStatus,
        stdout: try Data(contentsOf: URL(filePath: "\(files.path)/stdout")),
        stderr: String(
          decoding: try Data(contentsOf: URL(filePath: "\(files.path)/stderr")), as: UTF8.self))
    }
  }
}

/// A folder that is gone when the test is over.
final class TemporaryFolder {
  let path: String

  init() throws {
    let parent = URL(filePath: NSTemporaryDirectory()).resolvingSymlinksInPath().path
    path = "\(parent)/proctor-test-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  @discardableResult
  func write(_ data: Data, to name: String) throws -> String {
    let file = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: URL(filePath: file).deletingLastPathComponent().path,
      withIntermediateDirectories: true)
    try data.write(to: URL(filePath: file))
    return file
  }

  @discardableResult
  func write(_ text: String, to name: String) throws -> String {
    try write(Data(text.utf8), to: name)
  }

  /// A copy of a fixture, with the repository's jest installation beside it.
  func copy(fixture: String, as name: String = "workspace") throws -> String {
    let target = "\(path)/\(name)"
    try FileManager.default.copyItem(
      atPath: "\(ProctorProcess.repository)/fixtures/\(fixture)", toPath: target)
    let modules = "\(path)/node_modules"
    if !FileManager.default.fileExists(atPath: modules) {
      try FileManager.default.createSymbolicLink(
        atPath: modules, withDestinationPath: "\(ProctorProcess.repository)/fixtures/node_modules")
    }
    return target
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

struct FixtureError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
