import HTTPTypes
import Hummingbird

extension HTTPField.Name {
  fileprivate static let fetchSite = HTTPField.Name("Sec-Fetch-Site") ?? .authorization
}

/// Who may call at all.
struct HTTPAccess: Sendable {
  /// Whom an endpoint is for.
  enum Need: Sendable {
    /// It tells nothing of a workspace.
    case nobody
    case caller
    /// Whoever answers questions in the user's name.
    case confirmer
  }

  let settings: HTTPSettings

  /// - Throws: `HTTPProblem`.
  func check(_ request: Request, _ need: Need) throws(HTTPProblem) {
    try checkHost(request)
    try checkOrigin(request, need)
    try checkToken(request, need)
  }

  /// A page of somebody else's whose name suddenly means this machine calls by that name.
  private func checkHost(_ request: Request) throws(HTTPProblem) {
    guard let authority = request.head.authority, let host = Self.host(of: authority) else {
      throw HTTPProblem(.badRequest, "there is no Host header")
    }
    guard Self.isAddress(host) || (["localhost"] + settings.hosts).contains(host.lowercased())
    else {
      throw HTTPProblem(
        .forbidden, "this service is not known as \(host.prefix(200))",
        resolution: "Call it by its address, or start it with --allow-host \(host.prefix(200)).")
    }
  }

  /// `[::1]:80` → `[::1]`, `localhost:80` → `localhost`.
  private static func host(of authority: String) -> String? {
    if authority.hasPrefix("[") {
      return authority.firstIndex(of: "]").map { String(authority[...$0]) }
    }
    let host = authority.split(separator: ":", omittingEmptySubsequences: false)[0]
    return host.isEmpty ? nil : String(host)
  }

  static func isAddress(_ host: String) -> Bool {
    if host.hasPrefix("[") {
      return host.hasSuffix("]") && host.contains(":")
        && host.dropFirst().dropLast().allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
    }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
  }

  /// Browsers say which page has them call.
  private func checkOrigin(_ request: Request, _ need: Need) throws(HTTPProblem) {
    let refusal = { (page: Substring) in
      HTTPProblem(
        .forbidden, "pages of \(page) may not call this service",
        resolution: "Start it with --allow-origin if that page is to be trusted with it.")
    }
    guard let origin = request.headers[.origin] else {
      // Pictures and scripts of a page are asked for without telling the page.
      let site = request.headers[.fetchSite] ?? "none"
      guard need == .nobody || ["same-origin", "none"].contains(site) else {
        throw refusal("another site")
      }
      return
    }
    let own = request.head.authority.map { ["http://\($0)", "https://\($0)"] } ?? []
    guard (own + settings.origins).contains(origin) else { throw refusal(origin.prefix(200)) }
  }

  /// What lets a page of another origin, which may call, read the answer.
  func sharing(with request: Request) -> HTTPFields {
    guard let origin = request.headers[.origin], settings.origins.contains(origin) else {
      return [:]
    }
    return [
      .accessControlAllowOrigin: origin, .vary: "Origin",
      .accessControlAllowMethods: "GET, POST, DELETE",
      .accessControlAllowHeaders:
        "Authorization, Content-Type, Proctor-Confirmation, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id",
      .accessControlExposeHeaders: "Mcp-Session-Id, Retry-After, X-Request-Id",
    ]
  }

  private func checkToken(_ request: Request, _ need: Need) throws(HTTPProblem) {
    let (shown, confirms) = (Self.bearer(request), isConfirmer(request))
    switch need {
    case .nobody: return
    case .caller:
      guard let token = settings.token, !confirms else { return }
      guard let shown, Self.isEqual(shown, token) else { throw Self.unauthorized("token") }
    case .confirmer:
      guard confirms else { throw Self.unauthorized("confirmation token") }
    }
  }

  /// Whether it comes from whoever answers in the user's name.
  func isConfirmer(_ request: Request) -> Bool {
    Self.bearer(request).map { Self.isEqual($0, settings.confirmationToken) } ?? false
  }

  /// In the words of the audit trail.
  func credential(of request: Request) -> String {
    guard let shown = Self.bearer(request) else { return "no token" }
    if isConfirmer(request) { return "the confirmation token" }
    return settings.token.map { Self.isEqual(shown, $0) } ?? false ? "the token" : "no token"
  }

  private static func unauthorized(_ what: String) -> HTTPProblem {
    var problem = HTTPProblem(
      .unauthorized, "the service's \(what) is wanted",
      resolution: "Send it as Authorization: Bearer TOKEN.")
    problem.headers[.wwwAuthenticate] = "Bearer realm=\"proctor\""
    return problem
  }

  private static func bearer(_ request: Request) -> String? {
    guard let value = request.headers[.authorization] else { return nil }
    let parts = value.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
    return String(parts[1])
  }

  /// Takes as long for a wrong one as for one that is nearly right.
  static func isEqual(_ shown: String, _ wanted: String) -> Bool {
    let (shown, wanted) = (Array(shown.utf8), Array(wanted.utf8))
    var difference = UInt8(shown.count == wanted.count ? 0 : 1)
    for (index, byte) in shown.enumerated() {
      difference |= byte ^ wanted[index % max(1, wanted.count)]
    }
    return difference == 0 && !wanted.isEmpty
  }
}
