public import FoundationEssentials
import GRDB

/// What became of the chain, as far as can be seen.
public struct AuditVerification: Sendable, Hashable, Codable {
  public enum Status: String, Sendable, Codable {
    case intact, broken
  }

  public enum Finding: String, Sendable, Codable {
    /// An entry is not what was written.
    case changed
    /// Entries are gone, in the middle or at the beginning.
    case removed
    /// An entry does not follow from the one before it.
    case inserted
    /// Entries are gone at the end.
    case cutOff = "cut_off"
    /// The file that holds the head is missing or cannot be understood.
    case noHead = "no_head"
    /// The file is no database, or a corrupt one.
    case unreadable
  }

  public struct Problem: Sendable, Hashable, Codable {
    public let finding: Finding
    /// The first entry that is wrong.
    public let entry: Int64
    public let message: String
  }

  public let status: Status
  /// Entries that were looked at.
  public let entries: Int
  public let first: Int64?
  public let last: Int64?
  /// The hash of the last one: who notes it elsewhere can tell later that all before it is unchanged.
  public let head: String?
  /// The last entry that was pruned; nil when none was.
  public let pruned_to: Int64?
  /// The first thing that is wrong; nil when nothing is.
  public let problem: Problem?
  /// Unreadable trails that were set aside, the names of their files.
  public let set_aside: [String]

  public var json: Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return ((try? encoder.encode(self)) ?? Data("{}".utf8)) + Data("\n".utf8)
  }

  public var text: String {
    var lines: [String] = []
    if let problem {
      lines.append("BROKEN at entry \(problem.entry): \(problem.message)")
      lines.append("\(entries) entries before it are as they were written")
    } else {
      let range = if let first, let last { ", from \(first) to \(last)" } else { "" }
      lines.append("intact: \(entries) entries\(range)")
      if let head { lines.append("head: \(head)") }
    }
    if let pruned_to { lines.append("the entries to \(pruned_to) were pruned before") }
    lines += set_aside.map { "an unreadable trail was set aside: \($0)" }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension AuditVerification {
  /// Nothing can be said of the chain.
  init(unreadable why: String) {
    self.init(
      status: .broken, entries: 0, first: nil, last: nil, head: nil, pruned_to: nil,
      problem: Problem(finding: .unreadable, entry: 0, message: why), set_aside: [])
  }
}

extension AuditLog {
  private struct State {
    var entries = 0
    var first: Int64?
    var last: AuditHead.Position
    var problem: AuditVerification.Problem?
    /// Where the chain went through the entry that the head names.
    var atHead: Data?
    var setAside: [String] = []
    /// The last entry that says that something was pruned.
    var pruned: PrunedRecord?
  }

  func verify() throws -> AuditVerification {
    // Read before the chain: it may go on meanwhile.
    let head = head.read()
    return try queue.inDatabase { database in
      let anchor = try Self.anchor(database)
      var state = State(last: anchor)
      let rows = try Row.fetchCursor(
        database, sql: "SELECT \(AuditEntry.columns), hash FROM entry ORDER BY number")
      while state.problem == nil, let row = try rows.next() {
        Self.look(at: row, head, &state)
      }
      let problem = state.problem ?? Self.complaint(state, anchor, head)
      return AuditVerification(
        status: problem == nil ? .intact : .broken, entries: state.entries, first: state.first,
        last: state.entries > 0 ? state.last.number : nil,
        head: problem == nil ? state.last.hash.hexadecimal : nil,
        pruned_to: anchor.number > 0 ? anchor.number : nil, problem: problem,
        set_aside: state.setAside)
    }
  }

  private static func anchor(_ database: Database) throws -> AuditHead.Position {
    let row = try Row.fetchOne(database, sql: "SELECT number, hash FROM anchor")
    return AuditHead.Position(
      number: row.flatMap { Int64.fromDatabaseValue($0["number"]) } ?? 0,
      hash: row.flatMap { Data.fromDatabaseValue($0["hash"]) } ?? Data())
  }

  private static func look(at row: Row, _ head: AuditHead.Position?, _ state: inout State) {
    let entry = AuditEntry(row)
    let next = state.last.number + 1
    func wrong(_ finding: AuditVerification.Finding, _ entry: Int64, _ message: String) {
      state.problem = AuditVerification.Problem(finding: finding, entry: entry, message: message)
    }
    guard entry.number == next else {
      let end = entry.number - 1
      let what = end > next ? "entries \(next) to \(end) are" : "entry \(next) is"
      return wrong(.removed, next, "\(what) missing")
    }
    let hash = entry.hash
    guard Data.fromDatabaseValue(row["hash"]) == hash else {
      return wrong(.changed, next, "entry \(next) is not what was written")
    }
    guard entry.previous == state.last.hash else {
      return wrong(
        .inserted, next,
        state.entries == 0
          ? "entry \(next) does not follow from what was pruned"
          : "entry \(next) does not follow from entry \(next - 1): one of them was put there later")
    }
    state.entries += 1
    state.first = state.first ?? entry.number
    state.last = AuditHead.Position(number: entry.number, hash: hash)
    if entry.number == head?.number { state.atHead = hash }
    note(entry, &state)
  }

  private static func note(_ entry: AuditEntry, _ state: inout State) {
    let data = Data(entry.content.utf8)
    switch AuditEntry.Kind(rawValue: entry.kind) {
    case .founded:
      let record = try? JSONDecoder().decode(FoundedRecord.self, from: data)
      if let name = record?.set_aside { state.setAside.append(name) }
    case .pruned: state.pruned = try? JSONDecoder().decode(PrunedRecord.self, from: data)
    case .begun, .ended, .lost, nil: break
    }
  }

  /// What can only be seen at the end.
  private static func complaint(
    _ state: State, _ anchor: AuditHead.Position, _ head: AuditHead.Position?
  ) -> AuditVerification.Problem? {
    let last = state.last.number
    if anchor.number > 0,
      state.pruned?.to != anchor.number || state.pruned?.hash != anchor.hash.hexadecimal
    {
      return AuditVerification.Problem(
        finding: .removed, entry: anchor.number,
        message:
          "the entries to \(anchor.number) are missing, and no entry says that they were pruned")
    }
    guard let head else {
      return AuditVerification.Problem(
        finding: .noHead, entry: last,
        message:
          "audit.head, which names the last entry, is missing or cannot be read: what is cut off at the end cannot be seen"
      )
    }
    if head.number > last {
      return AuditVerification.Problem(
        finding: .cutOff, entry: last + 1,
        message:
          "the entries from \(last + 1) to \(head.number) are missing at the end: they were cut off, or the machine lost its power"
      )
    }
    if state.atHead != head.hash {
      return AuditVerification.Problem(
        finding: .changed, entry: head.number,
        message:
          "entry \(head.number) is not the one that was written: the end of the chain was made anew"
      )
    }
    return nil
  }
}
