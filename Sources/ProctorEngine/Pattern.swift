import CPCRE2

/// A compiled `--filter`: one dialect (PCRE2, Unicode) for every runner, matched anywhere in a name.
///
/// Matching cannot hang: backtracking is bounded, and a pattern that needs more steps on some name is
/// refused, naming it.
public final class Pattern: Sendable {
  /// Backtracking steps for one name: some 10 ms.
  private static let matchLimit: UInt32 = 1_000_000

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

  /// - Throws: `EngineError` when the pattern is too expensive for this name.
  public func matches(_ name: String) throws(EngineError) -> Bool {
    let data = pcre2_match_data_create_8(1, nil)
    let context = pcre2_match_context_create_8(nil)
    defer {
      pcre2_match_data_free_8(data)
      pcre2_match_context_free_8(context)
    }
    pcre2_set_match_limit_8(context, Self.matchLimit)
    let bytes = Array(name.utf8)
    let result = bytes.withUnsafeBufferPointer {
      pcre2_match_8(code, $0.baseAddress, $0.count, 0, 0, data, context)
    }
    if result >= 0 { return true }
    if result == PCRE2_ERROR_NOMATCH { return false }
    throw EngineError(
      .usage, "the filter \(source) is too expensive to match on the test name \(name.prefix(80))",
      resolution: "Write the filter without nested repetitions such as (a+)+.")
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
