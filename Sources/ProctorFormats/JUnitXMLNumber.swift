/// Numbers as JUnit XML writers put them down.
enum JUnitXMLNumber {
  /// A `time` attribute, in seconds, as milliseconds; nil when absent, negative or ambiguous.
  ///
  /// `1,234.5` groups thousands (surefire), `1E-07` is .NET's, `0,5` is a locale's decimal comma;
  /// `1,234` could be either and stays unknown.
  static func milliseconds(_ text: String) -> Double? {
    let plain = text.filter { !$0.isWhitespace }
    guard !plain.isEmpty, plain.allSatisfy({ "0123456789.,eE+-".contains($0) }),
      let dotted = withDecimalPoint(plain), let seconds = Double(dotted), seconds >= 0
    else { return nil }
    // Whole nanoseconds: what is smaller comes from binary fractions.
    let nanoseconds = (seconds * 1e9).rounded()
    return nanoseconds.isFinite ? nanoseconds / 1e6 : nil
  }

  /// A count; nil when it is none.
  static func count(_ text: String) -> Int? {
    Int(text.filter { $0 != "," && !$0.isWhitespace }).flatMap { $0 >= 0 ? $0 : nil }
  }

  private static func withDecimalPoint(_ text: String) -> String? {
    guard let lastComma = text.lastIndex(of: ",") else { return text }
    if let lastDot = text.lastIndex(of: ".") {
      let decimal: Character = lastDot > lastComma ? "." : ","
      return text.filter { $0 == decimal || ($0 != "." && $0 != ",") }
        .replacing(",", with: ".")
    }
    let groups = text.split(separator: ",", omittingEmptySubsequences: false)
    if groups.count > 2 { return groups.joined() }
    let isAmbiguous = groups[1].count == 3 && groups[0] != "0" && groups[1].allSatisfy(\.isNumber)
    return isAmbiguous ? nil : groups.joined(separator: ".")
  }
}
