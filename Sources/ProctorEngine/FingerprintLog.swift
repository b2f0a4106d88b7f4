import FoundationEssentials
import Glibc

/// The fingerprints of all tests of all files in order, to find those that come more than once.
///
/// Memory is bounded: from `heldLimit` on they go to a file that has no name any more, and are gone
/// through several times at the end, each time for a part of all values.
struct FingerprintLog {
  /// What is known at the end.
  struct Repeats {
    /// By position: which test of its name it is, from 2; only of the positions that were asked for, and not of the
    /// first ones of their names.
    var occurrences: [Int: Int] = [:]
    /// By file: how many of its tests have a name that came before, there or in another file.
    var byFile: [Int: Int] = [:]
  }

  /// Held in memory: 2 MB.
  private static let heldLimit = 256 * 1024
  /// Different values looked at in one go: the table takes 12 bytes for each of twice as many.
  private static let goLimit = 256 * 1024

  private var held: [UInt64] = []
  private var spilled = 0
  private var descriptor: Int32?
  /// The first position of each file.
  private var starts: [Int] = []
  private let environment: [String: String]

  init(environment: [String: String]) {
    self.environment = environment
    // Grown step by step, an array has its old half beside it.
    held.reserveCapacity(Self.heldLimit)
  }

  var count: Int { spilled + held.count }

  mutating func beginFile() { starts.append(count) }

  /// - Returns: its position, from 0.
  @discardableResult
  mutating func append(_ fingerprint: UInt64) throws(EngineError) -> Int {
    if held.count == Self.heldLimit { try spill() }
    held.append(fingerprint)
    return count - 1
  }

  private mutating func spill() throws(EngineError) {
    if descriptor == nil { descriptor = try open() }
    guard let target = descriptor else { return }
    let isWritten = held.withUnsafeBytes { bytes in
      var written = 0
      while written < bytes.count {
        let count = write(target, bytes.baseAddress.map { $0 + written }, bytes.count - written)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        written += count
      }
      return true
    }
    guard isWritten else {
      throw FileSystem.storage(
        "the names of the tests cannot be held: \(String(cString: strerror(errno)))")
    }
    spilled += held.count
    held.removeAll(keepingCapacity: true)
  }

  private func open() throws(EngineError) -> Int32 {
    let folder = try RunFolder(in: CacheFolder(environment: environment))
    let path = "\(folder.path)/fingerprints"
    let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FileSystem.storage("cannot write \(path)") }
    unlink(path)
    return descriptor
  }

  /// - Parameter wanted: positions, ascending.
  mutating func finish(wanted: [Int]) throws(EngineError) -> Repeats {
    defer {
      if let descriptor { close(descriptor) }
      descriptor = nil
    }
    if descriptor != nil {
      try spill()
      held = []
    }
    let (candidates, many) = try candidates()
    let parts = max(1, (many + Self.goLimit - 1) / Self.goLimit)
    var repeats = Repeats()
    for part in 0..<parts where many > 0 {
      var table = FingerprintTable(capacity: min(many, Self.goLimit) * 5 / 4)
      var (position, file, next) = (0, -1, 0)
      // The upper bits choose the part; the table goes by the lower ones.
      let (all, chosen) = (UInt64(parts), UInt64(part))
      try eachBlock { block in
        for fingerprint in block {
          if candidates.contains(fingerprint),
            fingerprint.multipliedFullWidth(by: all).high == chosen
          {
            while file + 1 < starts.count, starts[file + 1] <= position { file += 1 }
            let occurrence = table.add(fingerprint)
            if occurrence > 1 {
              repeats.byFile[file, default: 0] += 1
              while next < wanted.count, wanted[next] < position { next += 1 }
              if next < wanted.count, wanted[next] == position {
                repeats.occurrences[position] = occurrence
              }
            }
          }
          position += 1
        }
      }
    }
    return repeats
  }

  /// All values that come more than once, and some that do not: nearly all names are different, and only these few
  /// have to be counted.
  /// - Returns: also how many positions have them.
  private func candidates() throws(EngineError) -> (BitSet, Int) {
    var (seen, again) = (BitSet(capacity: count), BitSet(capacity: count))
    try eachBlock { block in
      for fingerprint in block where !seen.insert(fingerprint) { again.insert(fingerprint) }
    }
    var many = 0
    try eachBlock { block in
      for fingerprint in block where again.contains(fingerprint) { many += 1 }
    }
    return (again, many)
  }

  private func eachBlock(
    _ body: (UnsafeBufferPointer<UInt64>) -> Void
  ) throws(EngineError) {
    guard let descriptor else { return held.withUnsafeBufferPointer(body) }
    var block = [UInt64](repeating: 0, count: 64 * 1024)
    var offset = 0
    while offset < spilled * 8 {
      let count = block.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress, $0.count, off_t(offset))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0, count % 8 == 0 else {
        throw FileSystem.storage("the names of the tests cannot be read back")
      }
      block.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[..<(count / 8)])) }
      offset += count
    }
  }
}

/// A bit for each of many values that share it by chance.
private struct BitSet {
  /// 4 MB.
  private static let mostBits = 1 << 25
  private var words: [UInt64]
  private let mask: UInt64

  init(capacity: Int) {
    var bits = 1024
    while bits < min(Self.mostBits, capacity * 8) { bits *= 2 }
    words = Array(repeating: 0, count: bits / 64)
    mask = UInt64(bits - 1)
  }

  func contains(_ fingerprint: UInt64) -> Bool {
    let bit = fingerprint & mask
    return words[Int(bit >> 6)] & 1 << (bit & 63) != 0
  }

  /// - Returns: whether its bit was free.
  @discardableResult
  mutating func insert(_ fingerprint: UInt64) -> Bool {
    let (bit, flag) = (fingerprint & mask, UInt64(1) << (fingerprint & mask & 63))
    defer { words[Int(bit >> 6)] |= flag }
    return words[Int(bit >> 6)] & flag == 0
  }
}

/// How often each value came, in flat memory.
private struct FingerprintTable {
  private var keys: [UInt64]
  private var counts: [UInt32]
  private var mask: Int
  private var used = 0

  init(capacity: Int) {
    var size = 1024
    while size < capacity { size *= 2 }
    keys = Array(repeating: 0, count: size)
    counts = Array(repeating: 0, count: size)
    mask = size - 1
  }

  /// - Returns: how often it came by now.
  mutating func add(_ fingerprint: UInt64) -> Int {
    if used * 5 > keys.count * 4 { grow() }
    // 0 says that a place is free.
    let key = fingerprint == 0 ? 1 : fingerprint
    var index = Int(truncatingIfNeeded: key) & mask
    while keys[index] != 0, keys[index] != key { index = (index + 1) & mask }
    if keys[index] == 0 {
      keys[index] = key
      used += 1
    }
    if counts[index] < .max { counts[index] += 1 }
    return Int(counts[index])
  }

  private mutating func grow() {
    var larger = FingerprintTable(capacity: keys.count * 2)
    for index in keys.indices where keys[index] != 0 {
      var place = Int(truncatingIfNeeded: keys[index]) & larger.mask
      while larger.keys[place] != 0 { place = (place + 1) & larger.mask }
      larger.keys[place] = keys[index]
      larger.counts[place] = counts[index]
      larger.used += 1
    }
    self = larger
  }
}
