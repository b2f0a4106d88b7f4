import Glibc

extension String {
  /// Whether the bytes of a text that is not empty stand in it: many times as fast as `contains`, which compares
  /// characters.
  package func holds(_ part: String) -> Bool {
    var (whole, part) = (self, part)
    return whole.withUTF8 { whole in
      part.withUTF8 { part in
        guard let start = whole.baseAddress, let wanted = part.baseAddress,
          !part.isEmpty, part.count <= whole.count
        else { return false }
        return (0...whole.count - part.count).contains {
          start[$0] == wanted[0] && memcmp(start + $0, wanted, part.count) == 0
        }
      }
    }
  }
}
