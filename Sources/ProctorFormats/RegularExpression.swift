import CPCRE2

/// A compiled regular expression: one dialect (PCRE2, Unicode) everywhere, matched anywhere in a text.
///
/// Matching cannot hang: backtracking is bounded.
public final class RegularExpression: Sendable {
  /// Backtracking steps for one text: some 10 ms.
  private static let matchLimit: UInt32 = 1_000_000

  public enum Problem: Error, Hashable, Sendable {
    /// - Parameter position: 0-based, in characters.
    case invalid(position: Int, message: String)
    /// It needs more steps on this text than any reasonable pattern.
    case tooExpensive
  }

  public let source: String
  /// Read-only after `init`; PCRE2 documents compiled patterns as safe to share between threads.
  private nonisolated(unsafe) let code: OpaquePointer
  private let groups: [(name: String, number: Int)]

  /// - Parameter multiline: whether `^` and `$` match at every line.
  /// - Throws: `Problem.invalid`.
  public init(_ source: String, multiline: Bool = false) throws(Problem) {
    self.source = source
    var errorNumber: Int32 = 0
    var errorOffset = 0
    let bytes = Array(source.utf8)
    let options =
      UInt32(PCRE2_UTF) | UInt32(PCRE2_UCP) | (multiline ? UInt32(PCRE2_MULTILINE) : 0)
    guard
      let code = bytes.withUnsafeBufferPointer({ buffer in
        pcre2_compile_8(buffer.baseAddress, buffer.count, options, &errorNumber, &errorOffset, nil)
      })
    else {
      var buffer = [UInt8](repeating: 0, count: 256)
      let length = pcre2_get_error_message_8(errorNumber, &buffer, buffer.count)
      throw .invalid(
        position: String(decoding: source.utf8.prefix(errorOffset), as: UTF8.self).count,
        message: String(decoding: buffer.prefix(max(0, Int(length))), as: UTF8.self))
    }
    self.code = code
    groups = Self.names(in: source).compactMap { name in
      let number = pcre2_substring_number_from_name_8(code, Array(name.utf8) + [0])
      return number > 0 ? (name, Int(number)) : nil
    }
  }

  deinit { pcre2_code_free_8(code) }

  /// - Throws: `Problem.tooExpensive`.
  public func matches(_ text: String) throws(Problem) -> Bool {
    try match(Array(text.utf8), from: 0) != nil
  }

  /// The named groups of each match, in order; a group that took no part is left out.
  /// - Throws: `Problem.tooExpensive`.
  public func captures(in text: String, most limit: Int = .max) throws(Problem) -> [[String:
    String]]
  {
    let bytes = Array(text.utf8)
    var result: [[String: String]] = []
    var start = 0
    while result.count < limit, start <= bytes.count, let found = try match(bytes, from: start) {
      var captures: [String: String] = [:]
      for (name, number) in groups where number < found.count {
        if let range = found[number] {
          captures[name] = String(decoding: bytes[range], as: UTF8.self)
        }
      }
      result.append(captures)
      guard let whole = found[0] else { break }
      start = max(whole.upperBound, start + (whole.isEmpty ? 1 : 0))
      while start < bytes.count, bytes[start] & 0xC0 == 0x80 { start += 1 }
    }
    return result
  }

  /// The text with what a named group took replaced in each match.
  /// - Throws: `Problem.tooExpensive`.
  public func replacing(
    group name: String, in text: String, with replacement: String
  ) throws(Problem) -> String {
    guard let number = groups.first(where: { $0.name == name })?.number else { return text }
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var (start, copied) = (0, 0)
    while start <= bytes.count, let found = try match(bytes, from: start), let whole = found[0] {
      if number < found.count, let range = found[number], range.lowerBound >= copied {
        result += bytes[copied..<range.lowerBound] + Array(replacement.utf8)
        copied = range.upperBound
      }
      start = max(whole.upperBound, start + (whole.isEmpty ? 1 : 0))
      while start < bytes.count, bytes[start] & 0xC0 == 0x80 { start += 1 }
    }
    return String(decoding: result + bytes[copied...], as: UTF8.self)
  }

  /// The ranges of the whole match and of each group.
  private func match(_ bytes: [UInt8], from start: Int) throws(Problem) -> [Range<Int>?]? {
    let data = pcre2_match_data_create_from_pattern_8(code, nil)
    let context = pcre2_match_context_create_8(nil)
    defer {
      pcre2_match_data_free_8(data)
      pcre2_match_context_free_8(context)
    }
    pcre2_set_match_limit_8(context, Self.matchLimit)
    let count = bytes.withUnsafeBufferPointer {
      pcre2_match_8(code, $0.baseAddress, $0.count, start, 0, data, context)
    }
    if count == PCRE2_ERROR_NOMATCH { return nil }
    guard count > 0, let vector = pcre2_get_ovector_pointer_8(data) else { throw .tooExpensive }
    return (0..<Int(count)).map { index in
      let (low, high) = (vector[2 * index], vector[2 * index + 1])
      // PCRE2_UNSET is the largest size there is.
      return low > bytes.count || high < low ? nil : Int(low)..<Int(high)
    }
  }

  /// `(?<name>`, `(?P<name>` and `(?'name'`.
  private static func names(in source: String) -> [String] {
    var names: [String] = []
    for mark in ["(?<", "(?P<", "(?'"] {
      for range in source.ranges(of: mark) {
        let name = source[range.upperBound...].prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        if let first = name.first, !first.isNumber, !names.contains(String(name)) {
          names.append(String(name))
        }
      }
    }
    return names
  }
}
