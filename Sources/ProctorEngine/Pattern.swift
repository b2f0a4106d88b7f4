import CPCRE2

/// A compiled `--filter`: one dialect (PCRE2, Unicode) for every runner, matched anywhere in a name.
///
/// Matching cannot hang: backtracking is bounded, and a pattern that exceeds the bound is matched
/// by PCRE2's breadth-first algorithm instead, which is bounded too.
public final class Pattern: Sendable {
  /// Backtracking steps for one name before the other algorithm takes over.
  private static let matchLimit: UInt32 = 100_000
  private static let workspaceSize = 4096

  public let source: String
  /// Read-only after `init`; PCRE2 documents compiled patterns as safe to share between threads.
  private nonisolated(unsafe) let code: OpaquePointer

  /// - Throws: `EngineError` with the position when the pattern is invalid.
  public init(_ source: String) throws(EngineError) {
    self.source = source
    var errorNumber: Int32 = 0
    var errorOffset = 0
    let bytes = Array(source.utf8)
    let options = UInt32(PCRE2_UTF) | UInt32(PCRE2_UCP)
    guard
      let code = bytes.withUnsafeBufferPointer({ buffer in
        pcre2_compile_8(buffer.baseAddress, buffer.count, options, &errorNumber, &errorOffset, nil)
      })
    else {
      throw Self.invalid(source, errorNumber: errorNumber, byteOffset: errorOffset)
    }
    self.code = code
  }

  deinit { pcre2_code_free_8(code) }

  /// - Throws: `EngineError` when the pattern is too expensive for this name in both algorithms.
  public func matches(_ name: String) throws(EngineError) -> Bool {
    let bytes = Array(name.utf8)
    let first = match(bytes, breadthFirst: false)
    if first != PCRE2_ERROR_MATCHLIMIT && first != PCRE2_ERROR_HEAPLIMIT { return first >= 0 }
    let second = match(bytes, breadthFirst: true)
    if second >= 0 { return true }
    if second == PCRE2_ERROR_NOMATCH { return false }
    throw EngineError(
      .usage, "the filter \(source) is too expensive to match on the test name \(name.prefix(80))",
      resolution: "Write the filter without nested repetitions such as (a+)+.")
  }

  private func match(_ bytes: [UInt8], breadthFirst: Bool) -> Int32 {
    let data = pcre2_match_data_create_8(1, nil)
    let context = pcre2_match_context_create_8(nil)
    defer {
      pcre2_match_data_free_8(data)
      pcre2_match_context_free_8(context)
    }
    pcre2_set_match_limit_8(context, Self.matchLimit)
    return bytes.withUnsafeBufferPointer { buffer in
      guard breadthFirst else {
        return pcre2_match_8(code, buffer.baseAddress, buffer.count, 0, 0, data, context)
      }
      var workspace = [Int32](repeating: 0, count: Self.workspaceSize)
      let shortest = UInt32(PCRE2_DFA_SHORTEST)
      return pcre2_dfa_match_8(
        code, buffer.baseAddress, buffer.count, 0, shortest, data, context, &workspace,
        workspace.count)
    }
  }

  private static func invalid(
    _ source: String, errorNumber: Int32, byteOffset: Int
  ) -> EngineError {
    var buffer = [UInt8](repeating: 0, count: 256)
    let length = pcre2_get_error_message_8(errorNumber, &buffer, buffer.count)
    let text = String(decoding: buffer.prefix(max(0, Int(length))), as: UTF8.self)
    let position = String(decoding: source.utf8.prefix(byteOffset), as: UTF8.self).count
    let pointer = String(repeating: " ", count: position) + "^"
    return EngineError(
      .usage, "invalid regex at position \(position + 1): \(text)\n  \(source)\n  \(pointer)",
      resolution: "Quote the pattern for the shell and escape literal ( ) [ ] { } . + * ? with \\.")
  }
}
