import ProctorModel

/// Nearest names for a name that matched nothing.
public enum Suggestions {
  /// Candidates by edit distance, those that contain the name first; far ones are left out.
  public static func nearest(
    to name: String, among candidates: [String], most: Int = 5
  ) -> [String] {
    let wanted = Array(name.lowercased().unicodeScalars.prefix(maximumLength))
    let scored = candidates.prefix(maximumCandidates).compactMap { candidate -> (Int, String)? in
      // Parameters are no part of what people mistype.
      let last = TestID.lastPart(of: candidate).lowercased().prefix { $0 != "[" && $0 != "(" }
      if candidate.lowercased().contains(name.lowercased()) { return (0, candidate) }
      let other = Array(last.unicodeScalars.prefix(maximumLength))
      let whole = Array(candidate.lowercased().unicodeScalars.prefix(maximumLength))
      let score = min(distance(wanted, other), distance(wanted, whole))
      return score <= max(2, wanted.count / 2) ? (score, candidate) : nil
    }
    return scored.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.prefix(most).map(\.1)
  }

  private static let maximumLength = 200
  private static let maximumCandidates = 20_000

  private static func distance(_ left: [UnicodeScalar], _ right: [UnicodeScalar]) -> Int {
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, b) in right.enumerated() {
        let above = row[j + 1]
        row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a == b ? 0 : 1))
        diagonal = above
      }
    }
    return row[right.count]
  }
}
