public import FoundationEssentials

/// The answer of `proctor report`.
public struct PageAnswer: Encodable, Sendable {
  enum Status: String, Encodable {
    case written, error
  }

  let status: Status
  var message: String?
  /// As it was named.
  var html: String?
  var bytes: Int?
  /// Runs on the page.
  var runs: Int?
  /// Kept runs that cannot be read and are left out.
  var unreadable: [String]?

  public init(html: String, bytes: Int, runs: Int, unreadable: [String]) {
    status = .written
    self.html = html
    self.bytes = bytes
    self.runs = runs
    self.unreadable = unreadable.nonEmpty
  }

  public init(failure message: String) {
    status = .error
    self.message = message
  }

  public var json: Data { ContractJSON.encode(self) }
}
