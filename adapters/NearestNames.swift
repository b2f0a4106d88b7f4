import ProctorModel

extension Sequence<FunctionFailure.Neighbour> {
  /// Those whose names are most like another one, five at most.
  func nearest(to name: String) -> [FunctionFailure.Neighbour] {
    let wanted = Set(name.lowercased())
    func distance(_ other: String) -> Int {
      other.lowercased().contains(name.lowercased())
        ? 0
        : wanted.symmetricDifference(Set(other.lowercased())).count + abs(other.count - name.count)
    }
    return sorted { (distance($0.name), $0.line ?? 0) < (distance($1.name), $1.line ?? 0) }
      .prefix(5).map(\.self)
  }
}
