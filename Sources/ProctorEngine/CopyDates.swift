import FoundationEssentials
import Glibc

/// Gives the files of a copy dates by which build tools see what changed since the last copy with the same caches.
///
/// Compilers and interpreters take what is older than its product for unchanged. A copy may hold other contents than
/// the one before, with older dates: whatever is not the same as then gets a date that no file had before.
struct CopyDates {
  /// Where it is remembered, beside the caches.
  let record: String
  private var last = 0
  private var known: [RawPath: (identity: String, given: WorkspaceCopy.Instant)] = [:]
  /// Nothing was built with these caches yet, so that every date is new.
  private let isFirst: Bool

  init(record: String, isFirst: Bool) {
    self.record = record
    self.isFirst = isFirst
    guard let data = FileSystem.read(record, limit: 1 << 30) else { return }
    // The second of the last time, then of each file `DATE\tIDENTITY\tPATH`.
    for line in data.split(separator: 0) {
      let parts = line.split(separator: UInt8(ascii: "\t"), maxSplits: 2)
      let words = parts.prefix(2).map { String(decoding: $0, as: UTF8.self) }
      if parts.count == 1, let seconds = Int(words[0]) { last = seconds }
      let times = words[0].split(separator: ".").compactMap { Int($0) }
      guard parts.count == 3, times.count == 2 else { continue }
      known[RawPath(parts[2])] = (words[1], .init(seconds: times[0], nanoseconds: times[1]))
    }
  }

  /// - Parameters:
  ///   - folder: of the copy.
  ///   - identities: of each file; nil for one that is new here.
  mutating func settle(
    _ folder: String, _ identities: [RawPath: String?]
  ) throws(EngineError) {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    // Later than every build before; and in a second of its own, since Python compares those.
    let fresh =
      now.tv_sec > last
      ? WorkspaceCopy.Instant(now) : WorkspaceCopy.Instant(seconds: last + 1, nanoseconds: 0)
    var settled = Data("\(fresh.seconds)\0".utf8)
    for (path, identity) in identities {
      let place = path.below(folder)
      var status = stat()
      guard lstat(place, &status) == 0 else { continue }
      let own = WorkspaceCopy.Instant(status.st_mtim)
      let before = known[path]
      let given =
        if let identity, let before, before.identity == identity {
          before.given
        } else if identity != nil, isFirst { own } else { fresh }
      if given != own {
        var times = [given.time, given.time]
        utimensat(AT_FDCWD, place, &times, AT_SYMLINK_NOFOLLOW)
      }
      if let identity {
        settled.append(contentsOf: Array("\(given.text)\t\(identity)\t".utf8) + path.bytes + [0])
      }
    }
    try FileSystem.write(settled, to: record)
  }
}

/// A place for the build caches of candidates of one workspace, for one at a time.
struct CandidateCache: ~Copyable {
  let path: String
  /// Whether nobody used it before.
  let isNew: Bool
  private let lock: Int32

  private static let most = 64

  /// The first that nobody uses: the next candidate finds what the last one built.
  init(of workspace: String, named name: String) throws(EngineError) {
    let folder = "\(workspace)/candidates"
    try FileSystem.makeFolder(folder)
    let (path, lock) = try Self.free(in: folder, named: name)
    let isNew = !FileSystem.exists(path)
    try FileSystem.makeFolder(path)
    self.path = path
    self.lock = lock
    self.isNew = isNew
  }

  private static func free(
    in folder: String, named name: String
  ) throws(EngineError) -> (path: String, lock: Int32) {
    for number in 0..<most {
      let path = "\(folder)/\(name)-\(number)"
      let descriptor = open("\(path).lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw FileSystem.storage("cannot write \(path).lock") }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return (path, descriptor) }
      close(descriptor)
    }
    throw FileSystem.storage("\(most) candidates of this workspace are being run already")
  }

  deinit { close(lock) }
}
