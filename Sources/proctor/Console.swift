import FoundationEssentials
import Glibc
import ProctorEngine
import ProctorFormats

/// The process's own streams.
enum Console {
  /// Whether stdout is a terminal that understands cursor movement.
  static var isCapable: Bool {
    let terminal = ProcessInfo.processInfo.environment["TERM"] ?? ""
    return !terminal.isEmpty && terminal != "dumb"
  }

  static func wantsColour(_ descriptor: Int32) -> Bool {
    let environment = ProcessInfo.processInfo.environment
    return isatty(descriptor) == 1 && isCapable && environment["NO_COLOR", default: ""].isEmpty
  }

  /// - Returns: false when not all could be written, as errno says.
  @discardableResult
  static func write(_ data: Data, to descriptor: Int32 = STDOUT_FILENO) -> Bool {
    var rest = data[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        return false
      }
      rest = rest.dropFirst(count)
    }
    return true
  }

  /// Everything that comes over stdin.
  /// - Parameter limit: bytes.
  static func readAll(limit: Int) throws(EngineError) -> Data {
    var data = Data()
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    while data.count <= limit {
      let count = read(STDIN_FILENO, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return data }
      data.append(contentsOf: buffer[..<count])
    }
    throw EngineError(
      .usage, "stdin holds more than \(limit >> 20) MB", resolution: "Give a smaller piece of code."
    )
  }

  /// What comes on standard input, cut off at a limit.
  static func readInput(limit: Int) -> Data {
    var data = Data()
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while data.count < limit {
      let count = read(STDIN_FILENO, &chunk, min(chunk.count, limit - data.count))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      data.append(contentsOf: chunk.prefix(count))
    }
    return data
  }

  static func error(_ text: String) {
    let text = TextSummary.lines(text)
    write(Data((text.hasSuffix("\n") ? text : text + "\n").utf8), to: STDERR_FILENO)
  }

  /// Columns and rows of the terminal; 80 by 24 when unknown.
  static var size: (columns: Int, rows: Int) {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return (80, 24)
    }
    return (Int(size.ws_col), Int(size.ws_row))
  }
}
