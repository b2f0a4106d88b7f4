import Glibc
public import ProctorModel

/// Finds the places that failures name in their own words or show in their stacks, as the tools of
/// each language write them.
public struct LocationPatterns: Sendable {
  /// A place as it is written, not yet known to exist.
  public struct Candidate: Hashable, Sendable {
    public let file: String
    public let line: Int
    public let column: Int?
    public let source: LocationOrigin.Source
  }

  private struct Pattern: Sendable {
    /// Without these in it, a text has no such place.
    let hints: [String]
    let source: LocationOrigin.Source
    /// Whether the innermost frame comes last.
    let isLastFirst: Bool
    let expression: RegularExpression

    init?(
      _ hints: [String], _ source: LocationOrigin.Source, isLastFirst: Bool = false,
      _ expression: String
    ) {
      guard let compiled = try? RegularExpression(expression, multiline: true) else { return nil }
      self.hints = hints
      self.source = source
      self.isLastFirst = isLastFirst
      self.expression = compiled
    }
  }

  /// Places looked at of one text.
  private static let most = 100

  private let patterns: [Pattern]

  public init() {
    patterns = Self.messages.compactMap(\.self) + Self.traces.compactMap(\.self)
  }

  /// In the order in which they are to be tried.
  public func candidates(in text: String) -> [Candidate] {
    possible(in: text).flatMap { pattern -> [Candidate] in
      let found = ((try? pattern.expression.captures(in: text, most: Self.most)) ?? [])
        .compactMap { Self.candidate($0, pattern.source) }
      return pattern.isLastFirst ? found.reversed() : found
    }
  }

  private func possible(in text: String) -> [Pattern] {
    var text = text
    return text.withUTF8 { bytes in
      patterns.filter { pattern in
        pattern.hints.contains { hint in
          var hint = hint
          return hint.withUTF8 { bytes.contains($0) }
        }
      }
    }
  }

  private static func candidate(
    _ groups: [String: String], _ source: LocationOrigin.Source
  ) -> Candidate? {
    guard var file = groups["file"], let line = groups["line"].flatMap({ Int($0) }), line > 0 else {
      return nil
    }
    // A frame of the JVM has the file's name alone, and the package before it.
    if let type = groups["type"], let dot = type.lastIndex(of: ".") {
      file = type[..<dot].replacing(".", with: "/") + "/" + file
    }
    return Candidate(
      file: file, line: line, column: groups["column"].flatMap { Int($0) }, source: source)
  }

  // MARK: the table

  /// Failures that say where they are.
  private static var messages: [Pattern?] {
    [
      // Rust, from 1.73 on and before it.
      Pattern(
        [".rs:"], .message,
        #"panicked at (?:'(?:[^'\n]|'(?!,))*', )?(?<file>[^\s:'",]+\.rs):(?<line>\d+)(?::(?<column>\d+))?"#
      ),
      Pattern(
        [".rs:"], .message,
        #"^\s*--> (?<file>[^\s:]+\.rs):(?<line>\d+)(?::(?<column>\d+))?"#),
      // pytest, each entry of a trace of its own, the innermost last.
      Pattern(
        [".py:"], .message, isLastFirst: true,
        #"^(?:E\s+)?(?<file>[^\s:"'<>|()]+\.py):(?<line>\d+): "#),
      // Go: t.Error and testify.
      Pattern(
        [".go:"], .message,
        #"^\s+(?:Error Trace:\s*)?(?<file>[^\s:()]+\.go):(?<line>\d+)(?:: |$)"#),
      // Swift: XCTest, Swift Testing, preconditions.
      Pattern(
        [".swift:"], .message,
        #"(?:^|\s)(?<file>[^\s:"'()]+\.swift):(?<line>\d+)(?::(?<column>\d+))?: "#),
      // GoogleTest, Catch2, doctest, assert of the C library, compilers.
      Pattern(
        [".c:", ".cc:", ".cpp:", ".cxx:", ".h:", ".hpp:", ".m:", ".mm:", ".c(", ".cc(", ".cpp("],
        .message,
        #"(?:^|\s)(?<file>[^\s:()'"]+\.(?:c|cc|cpp|cxx|h|hh|hpp|m|mm))[:(](?<line>\d+)\)?(?::(?<column>\d+))?: ?(?i:failure|error|failed|fatal|[^\n]*assertion)"#
      ),
      // minitest.
      Pattern([".rb:"], .message, #"\[(?<file>[^\s\]:]+\.rb):(?<line>\d+)\]"#),
      // PHP's own errors.
      Pattern([".php"], .message, #" in (?<file>[^\s()]+\.php)(?: on line |:)(?<line>\d+)"#),
    ]
  }

  /// Frames of stacks.
  private static var traces: [Pattern?] {
    [
      Pattern(
        ["File \""], .trace, isLastFirst: true, #"^\s*File "(?<file>[^"\n]+)", line (?<line>\d+)"#),
      Pattern(
        ["at "], .trace,
        #"^\s*at (?:[^\n]*?[( ])?(?:file://)?(?<file>[^\s():]*[^\s():/]\.[cm]?[jt]sx?):(?<line>\d+):(?<column>\d+)"#
      ),
      Pattern(
        ["at "], .trace,
        #"^\s*at (?:[\w.@-]+/+)*(?<type>[\w.$]+)\.[\w$<>-]+\((?<file>[\w$-]+\.(?:java|kt|scala|groovy)):(?<line>\d+)\)"#
      ),
      Pattern(
        [":line ", ": line "], .trace,
        #"^\s*at [^\n]*? in (?:[A-Za-z]:)?(?<file>[^\n:]+\.(?:cs|fs|vb)):line (?<line>\d+)"#),
      Pattern([".go:"], .trace, #"^\t(?<file>[^\n:]+\.go):(?<line>\d+)"#),
      Pattern(
        [".rb:"], .trace, #"^\s*(?:# )?(?:from )?(?<file>[^\s:#()]+\.rb):(?<line>\d+)(?=:in|$)"#),
      Pattern([".php"], .trace, #"^(?:#\d+ )?(?<file>[^\s:()]+\.php)[:(](?<line>\d+)\)?"#),
      Pattern([".rs:"], .trace, #"^\s+at (?<file>[^\s:]+\.rs):(?<line>\d+)(?::(?<column>\d+))?"#),
    ]
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// - Parameter other: not empty.
  fileprivate func contains(_ other: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let start = other.baseAddress, var rest = baseAddress else { return false }
    let end = rest + count
    while end - rest >= other.count,
      let found = memchr(rest, Int32(start.pointee), end - rest - other.count + 1)
    {
      if memcmp(found, start, other.count) == 0 { return true }
      rest = UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) + 1
    }
    return false
  }
}
