// Tells proctor what XCTest does, over proctor's own channel. Preloaded into a package's test bundle;
// nothing of the package is rebuilt for it.
import Foundation
import XCTest

#if canImport(Glibc)
  @preconcurrency import Glibc
#endif

nonisolated(unsafe) private var channel: ProctorChannel?

/// Sealed frames on a named pipe: `P1 NONCE WRITER SEQUENCE FLAG PAYLOAD`, one write each.
private final class ProctorChannel {
  private static let frame = 4096
  private let path: String
  private let nonce: String
  private let owner = getpid()
  private var sequence = 0
  private var descriptor: Int32 = -1

  init(path: String, nonce: String) {
    self.path = path
    self.nonce = nonce
    reopen()
  }

  private func reopen() {
    let low = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard low >= 0 else { return }
    let high = fcntl(low, F_DUPFD_CLOEXEC, 600)
    descriptor = high < 0 ? low : high
    if high >= 0 { close(low) }
  }

  func send(_ record: [String: Any]) {
    // A test forked: its child is not the reporter.
    guard getpid() == owner, let payload = try? JSONSerialization.data(withJSONObject: record)
    else {
      return
    }
    var rest = payload[...]
    repeat {
      let head = "P1 \(nonce) \(owner) \(sequence) "
      let piece = rest.prefix(Self.frame - head.utf8.count - 3)
      rest = rest.dropFirst(piece.count)
      var line = Data(head.utf8)
      line.append(contentsOf: rest.isEmpty ? ". ".utf8 : "+ ".utf8)
      line.append(piece)
      line.append(10)
      put(line)
      sequence += 1
    } while !rest.isEmpty
  }

  private func put(_ line: Data) {
    line.withUnsafeBytes { bytes in
      if write(descriptor, bytes.baseAddress, bytes.count) >= 0 { return }
      // A test closed every descriptor.
      reopen()
      _ = write(descriptor, bytes.baseAddress, bytes.count)
    }
  }
}

private final class Observer: NSObject, XCTestObservation {
  private static let messageLimit = 20_000

  private func name(_ test: XCTestCase) -> String {
    let method = test.name.split(separator: ".", maxSplits: 1).last.map(String.init) ?? test.name
    return "\(String(reflecting: type(of: test)))/\(method)"
  }

  private func failure(_ text: String, _ file: String?, _ line: Int) -> [String: Any] {
    var record: [String: Any] = ["message": String(text.prefix(Self.messageLimit)), "line": line]
    if let file { record["file"] = file }
    return record
  }

  func testBundleWillStart(_ bundle: Bundle) { channel?.send(["event": "begin"]) }

  func testBundleDidFinish(_ bundle: Bundle) {
    fflush(nil)
    channel?.send(["event": "end"])
  }

  func testSuite(
    _ suite: XCTestSuite, didFailWithDescription text: String, inFile file: String?,
    atLine line: Int
  ) {
    channel?.send(
      ["event": "suite_failure", "suite": suite.name].merging(failure(text, file, line)) { $1 })
  }

  func testCaseWillStart(_ test: XCTestCase) {
    fflush(nil)
    channel?.send(["event": "start", "test": name(test)])
  }

  func testCase(
    _ test: XCTestCase, didFailWithDescription text: String, inFile file: String?, atLine line: Int
  ) {
    channel?.send(
      ["event": "failure", "test": name(test)].merging(failure(text, file, line)) { $1 })
  }

  func testCaseDidFinish(_ test: XCTestCase) {
    fflush(nil)
    let run = test.testRun
    channel?.send([
      "event": "finish", "test": name(test), "succeeded": run?.hasSucceeded ?? false,
      "skipped": run?.hasBeenSkipped ?? false, "seconds": run?.totalDuration ?? 0,
    ])
  }
}

private func start() {
  func take(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    defer { unsetenv(name) }
    return String(cString: value)
  }
  let (path, nonce) = (take("PROCTOR_CHANNEL"), take("PROCTOR_NONCE"))
  unsetenv("LD_PRELOAD")
  guard let path, let nonce else { return }
  channel = ProctorChannel(path: path, nonce: nonce)
  XCTestObservationCenter.shared.addTestObserver(Observer())
}

@used @section(".init_array") let proctorConstructor: @convention(c) () -> Void = { start() }
