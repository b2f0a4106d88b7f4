import FoundationEssentials
import HTTPTypes
import Hummingbird
import ProctorModel
import Synchronization

extension HTTPField.Name {
  fileprivate static let mcpVersion = HTTPField.Name("MCP-Protocol-Version") ?? .authorization
  fileprivate static let mcpMethod = HTTPField.Name("Mcp-Method") ?? .authorization
  fileprivate static let mcpName = HTTPField.Name("Mcp-Name") ?? .authorization
  fileprivate static let mcpSession = HTTPField.Name("Mcp-Session-Id") ?? .authorization
}

/// The Model Context Protocol over HTTP, by the rules of either era.
struct HTTPMCP: Sendable {
  let workspaces: HTTPWorkspaces
  let allowsAhead: Bool
  let confirmations: HTTPConfirmations
  private let tokens = ConfirmationTokens(most: 64)
  private let sessions = MCPSessions()

  init(
    _ workspaces: HTTPWorkspaces, _ confirmations: HTTPConfirmations, allowsAhead: Bool
  ) {
    self.workspaces = workspaces
    self.confirmations = confirmations
    self.allowsAhead = allowsAhead
  }

  var endpoints: [HTTPEndpoint] {
    [
      HTTPEndpoint(.post("mcp"), "mcp", for: .caller, OpenAPI.mcp) { try await answer($0) },
      HTTPEndpoint(
        HTTPRoute(method: .delete, path: "mcp"), "mcp_end", for: .caller, OpenAPI.mcpEnd
      ) { call in
        guard let id = call.request.headers[.mcpSession] else {
          var problem = HTTPProblem(.methodNotAllowed, "there is no session to end")
          problem.headers[.allow] = "POST"
          throw problem
        }
        guard sessions.remove(id) else { throw Self.noSession }
        return Response(status: .noContent)
      },
    ]
  }

  private static let noSession = HTTPProblem(
    .notFound, "there is no such session, not any more", resolution: "Send initialize again.")

  private func answer(_ call: HTTPCall) async throws -> Response {
    var call = call
    let workspace = try workspaces.workspace(of: call)
    try Self.checkAccept(call)
    let line = try await call.body()
    let message: RPCMessage
    do {
      message = try RPCMessage(line)
    } catch {
      return Self.refusal(error, id: error.id)
    }
    if case .request(let request) = message {
      return try await answer(request, line, call, workspace)
    }
    // Who was asked something answers here, and so do cancellations come.
    if let id = call.request.headers[.mcpSession] {
      guard let session = sessions.session(id, of: workspace.name) else { throw Self.noSession }
      _ = session.receive(.line(line)) { _ in }
    }
    return Response(status: .accepted)
  }

  private func answer(
    _ request: RPCRequest, _ line: Data, _ call: HTTPCall, _ workspace: ServedWorkspace
  ) async throws -> Response {
    // A client that shows the confirmation token is the user's own: what it says they said, they did.
    let questions = MCPQuestions(
      allowsAhead: allowsAhead, tokens: tokens,
      elsewhere: call.isConfirmer ? nil : confirmations)
    let headers = call.request.headers
    let isStateless =
      MCPEra.names(request) || headers[.mcpVersion].map(MCPEra.stateless.contains) ?? false
    if isStateless {
      if let problem = Self.mismatch(request, headers) ?? MCPEra.problem(with: request) {
        return Self.refusal(problem, id: request.id)
      }
      return try await serve(
        MCPSession(workspace, questions, origin: call.caller), request, line, call)
    }
    if request.method == "initialize" {
      let session = MCPSession(workspace, questions, origin: call.caller)
      var response = try await serve(session, request, line, call)
      if session.isInitialized {
        response.headers[.mcpSession] = sessions.add(session, of: workspace.name)
      }
      return response
    }
    guard let id = headers[.mcpSession] else {
      let problem = RPCError(
        .invalidParams,
        "no protocol version: send initialize first, or \(MCPEra.versionKey) in _meta")
      return Self.refusal(problem, id: request.id)
    }
    guard let session = sessions.session(id, of: workspace.name) else { throw Self.noSession }
    return try await serve(session, request, line, call)
  }

  /// Calls of tools are answered by a stream, which what is told meanwhile goes through.
  private func serve(
    _ session: MCPSession, _ request: RPCRequest, _ line: Data, _ call: HTTPCall
  ) async throws -> Response {
    guard request.method == "tools/call" else {
      let said = Said()
      if let job = session.receive(.line(line), said.add) { await job() }
      let (answer, error) = said.last
      return .json(answer, status: error.map(Self.status) ?? .ok)
    }
    return HTTPEvents.response(call) { send in
      let job = session.receive(.line(line)) { send(HTTPEvents.event("message", $0)) }
      await job?()
    }
  }

  /// What a session says to one message.
  private final class Said: Sendable {
    private let messages = Mutex<[Data]>([])

    func add(_ message: Data) { messages.withLock { $0.append(message) } }

    var last: (answer: Data, error: RPCError.Code?) {
      let answer = messages.withLock { $0.last } ?? Data()
      let code = JSONFields(answer)?.fields("error")?.integer("code")
      return (answer, code.flatMap(RPCError.Code.init))
    }
  }

  // MARK: rules

  private static func checkAccept(_ call: HTTPCall) throws(HTTPProblem) {
    let accepted = call.request.headers[.accept] ?? "*/*"
    let isAccepted = ["application/json", "text/event-stream"].allSatisfy { accepted.contains($0) }
    guard isAccepted || accepted.contains("*/*") else {
      throw HTTPProblem(
        .notAcceptable, "answers are JSON or events",
        resolution: "Send Accept: application/json, text/event-stream.")
    }
  }

  /// What intermediaries read in the headers must be what is done.
  private static func mismatch(_ request: RPCRequest, _ headers: HTTPFields) -> RPCError? {
    func differs(_ name: HTTPField.Name, _ wanted: String?) -> Bool {
      headers[values: name].count > 1 || headers[name].map(decoded) != wanted
    }
    let version = request.meta?.string(MCPEra.versionKey)
    let named =
      switch request.method {
      case "tools/call", "prompts/get": request.params?.string("name")
      case "resources/read": request.params?.string("uri")
      default: String?.none
      }
    for (header, value) in [(HTTPField.Name.mcpVersion, version), (.mcpMethod, request.method)]
    where differs(header, value) {
      return RPCError(.headerMismatch, "the header \(header) is not what the message says")
    }
    if let named, differs(.mcpName, named) {
      return RPCError(.headerMismatch, "the header Mcp-Name is not what the message says")
    }
    return nil
  }

  /// Names that no header can hold come as `=?base64?...?=`.
  private static func decoded(_ value: String) -> String {
    let mark = "=?base64?"
    guard value.hasPrefix(mark), value.hasSuffix("?="),
      let data = Data(base64Encoded: String(value.dropFirst(mark.count).dropLast(2)))
    else { return value }
    return String(decoding: data, as: UTF8.self)
  }

  private static func refusal(_ error: RPCError, id: RPCID?) -> Response {
    .json(
      MCPSession.message(["id": id?.json ?? .null, "error": error.json]), status: .badRequest)
  }

  private static func status(_ code: RPCError.Code) -> HTTPResponse.Status {
    switch code {
    case .methodNotFound: .notFound
    case .parse, .invalidRequest, .invalidParams, .headerMismatch, .unsupportedVersion: .badRequest
    case .busy: .tooManyRequests
    case .resourceNotFound: .ok
    }
  }
}
