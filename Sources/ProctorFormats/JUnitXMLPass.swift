import Glibc

/// A `testcase` that passes unless something follows, looked at without making texts of it.
struct JUnitXMLPass {
  /// What attributes say of a test that passed; any other word may say something else.
  private static let words: [StaticString] = ["run", "completed", "passed", "success", "ok"]

  let fingerprint: UInt64
  /// nil when the report does not say.
  let durationMS: Double?

  /// nil for one whose attributes say more, or that has no name of its own.
  /// - Parameter suitePath: the names of the suites around it.
  init?(_ tag: XMLTag, in suitePath: String) {
    var name: UnsafeBufferPointer<UInt8>?
    var (classname, otherClass) = (name, name)
    var (time, duration) = (name, name)
    var isPlain = true
    tag.each { key, value in
      if value.isEmpty { return }
      switch key.count {
      case 4 where Self.equals(key, "name"): name = value
      case 4 where Self.equals(key, "time"): time = value
      case 5 where Self.equals(key, "class"): otherClass = value
      case 8 where Self.equals(key, "duration"): duration = value
      case 9 where Self.equals(key, "classname"): classname = value
      case 6 where Self.equals(key, "status") || Self.equals(key, "result"):
        if !Self.words.contains(where: { Self.equals(value, $0) }) { isPlain = false }
      default: break
      }
    }
    guard isPlain, let name else { return nil }
    var print = NameFingerprint()
    if let type = classname ?? otherClass { print.add(type) } else { print.add(suitePath) }
    print.add(name)
    fingerprint = print.value
    durationMS = (time ?? duration).flatMap { JUnitXMLNumber.milliseconds($0) }
  }

  private static func equals(_ bytes: UnsafeBufferPointer<UInt8>, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount, let start = bytes.baseAddress else { return false }
    return memcmp(start, text.utf8Start, bytes.count) == 0
  }
}
