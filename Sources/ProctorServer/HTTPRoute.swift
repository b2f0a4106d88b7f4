import HTTPTypes

/// Where an operation is over HTTP.
struct HTTPRoute: Sendable, Hashable {
  let method: HTTPRequest.Method
  /// Without a slash before it.
  let path: String

  /// Whether a path as it was asked for is this one.
  func leads(to asked: String) -> Bool {
    let (mine, others) = (path.split(separator: "/"), asked.split(separator: "/"))
    return mine.count == others.count
      && zip(mine, others).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
  }

  /// Its arguments are in the query.
  static func get(_ path: String) -> HTTPRoute { HTTPRoute(method: .get, path: path) }
  /// Its arguments are a JSON object.
  static func post(_ path: String) -> HTTPRoute { HTTPRoute(method: .post, path: path) }
}
