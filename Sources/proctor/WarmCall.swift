import FoundationEssentials
import Glibc
import ProctorEngine
import ProctorFormats
import ProctorModel

/// One call of a function as the helper gets it: all that its answer depends on.
struct WarmCall: Codable, Sendable {
  let workspace: String
  /// The folder in which it was asked for.
  let base: String
  let path: String
  let function: String
  let arguments: String
  let isolation: String?
  let timeout: Double?
  let isJSON: Bool
  let isColoured: Bool
  let environment: [String: String]

  init(_ target: FunctionOptions) {
    base = FileManager.default.currentDirectoryPath
    workspace =
      target.workspace.hasPrefix("/") || target.workspace.isEmpty
      ? target.workspace : target.workspace == "." ? base : "\(base)/\(target.workspace)"
    (path, function, arguments) = (target.path, target.function, target.arguments)
    (isolation, timeout) = (target.isolation?.rawValue, target.timeout)
    isJSON = target.format == .json
    isColoured = Console.wantsColour(STDOUT_FILENO)
    environment = ProcessInfo.processInfo.environment
  }

  /// Whether the user wants it: by `PROCTOR_WARM`, else everywhere but in CI, where nobody comes back.
  var isWanted: Bool {
    switch environment["PROCTOR_WARM"]?.lowercased() {
    case "on", "1", "true": true
    case "off", "0", "false": false
    default: environment["CI", default: ""].isEmpty
    }
  }

  /// Makes the call.
  func answer(
    _ warmCalls: WarmCalls, say: @escaping @Sendable (String) -> Void
  ) async -> Answer.Printed {
    let format: OutputFormat = isJSON ? .json : .text
    var options = EngineOptions(jobs: 1, environment: environment)
    options.isolation = isolation.flatMap(Configuration.Isolation.init)
    options.timeoutSeconds = timeout
    options.warmCalls = warmCalls
    let progress = Screen(format, say: say).progress
    let result = await Answer.result { [options] () async throws(EngineError) in
      Answer.Value.function(
        try await Engine(workspace: workspace, options: options).execute(
          function, of: path, arguments: arguments, base: base, progress: progress))
    }
    let answer = Answer(format: format, kind: .function)
    var printed = answer.printed(result, isColoured ? .ansi : .plain)
    printed.outcome = try? JSONEncoder().encode(answer.outcome(of: result, printed))
    return printed
  }
}

/// Pieces of an answer on their way from the helper: a letter, the number of bytes in decimal, a line's end, the bytes.
enum WarmPart: Equatable {
  /// The call was taken; whoever loses sight of the helper now does not know what became of it.
  case taken
  case stdout(Data)
  case stderr(Data)
  /// For the caller's audit trail.
  case outcome(Data)
  /// The exit status; the last one.
  case status(Int32)

  var bytes: Data {
    switch self {
    case .taken: Self.frame("T", Data())
    case .stdout(let data): Self.frame("O", data)
    case .stderr(let data): Self.frame("E", data)
    case .outcome(let data): Self.frame("R", data)
    case .status(let status): Self.frame("X", Data("\(status)".utf8))
    }
  }

  private static func frame(_ letter: String, _ data: Data) -> Data {
    Data("\(letter)\(data.count)\n".utf8) + data
  }

  /// Reads the next one; nil at the end, or when it is none.
  static func read(from socket: Int32) -> WarmPart? {
    var head: [UInt8] = []
    while head.count < 20 {
      guard let byte = bytes(1, from: socket)?.first else { return nil }
      if byte == UInt8(ascii: "\n") { break }
      head.append(byte)
    }
    guard let letter = head.first,
      let count = Int(String(decoding: head.dropFirst(), as: UTF8.self)),
      (0...(1 << 30)).contains(count), let data = bytes(count, from: socket)
    else { return nil }
    switch letter {
    case UInt8(ascii: "T"): return .taken
    case UInt8(ascii: "O"): return .stdout(data)
    case UInt8(ascii: "E"): return .stderr(data)
    case UInt8(ascii: "R"): return .outcome(data)
    case UInt8(ascii: "X"): return Int32(String(decoding: data, as: UTF8.self)).map { .status($0) }
    default: return nil
    }
  }

  /// Exactly so many bytes; nil when there are fewer.
  static func bytes(_ count: Int, from socket: Int32) -> Data? {
    var data = Data()
    var buffer = [UInt8](repeating: 0, count: min(max(count, 1), 1 << 16))
    while data.count < count {
      let got = Glibc.read(socket, &buffer, min(buffer.count, count - data.count))
      if got < 0 && errno == EINTR { continue }
      guard got > 0 else { return nil }
      data.append(contentsOf: buffer[..<got])
    }
    return data
  }
}
