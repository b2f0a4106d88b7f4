import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import ProctorModel

/// One thing that can be called over HTTP, and how the OpenAPI document tells of it.
struct HTTPEndpoint: Sendable {
  let route: HTTPRoute
  /// What its calls are named in logs and figures.
  let name: String
  let need: HTTPAccess.Need
  /// Its entry of the OpenAPI document, without what all have.
  let description: JSONValue
  let respond: @Sendable (HTTPCall) async throws -> Response

  init(
    _ route: HTTPRoute, _ name: String, for need: HTTPAccess.Need, _ description: JSONValue,
    respond: @escaping @Sendable (HTTPCall) async throws -> Response
  ) {
    self.route = route
    self.name = name
    self.need = need
    self.description = description
    self.respond = respond
  }
}

/// One call as it came.
struct HTTPCall: Sendable {
  /// Bytes of a body.
  static let mostBody = InputLine.limit
  /// How long a body may take to come.
  private static let patience = Duration.seconds(30)

  var request: Request
  let parameters: Parameters
  /// Tells it apart in logs.
  let id: String
  /// Its address, and how it was admitted.
  let caller: String
  /// It shows the confirmation token.
  let isConfirmer: Bool

  /// The body, which is read once.
  mutating func body() async throws -> Data {
    let whole: Request
    do {
      whole = try await Self.collected(request)
    } catch is NIOTooManyBytesError {
      throw HTTPProblem(.contentTooLarge, "the body is larger than \(Self.mostBody >> 20) MB")
    } catch let problem as HTTPProblem {
      throw problem
    } catch {
      throw HTTPProblem(.badRequest, "the body ends before its end")
    }
    request = whole
    return Data(try await request.collectBody(upTo: Self.mostBody).readableBytesView)
  }

  /// The request with its body in memory, which may not take for ever to come.
  private static func collected(_ request: Request) async throws -> Request {
    try await withThrowingTaskGroup(of: Request?.self) { group in
      group.addTask {
        var request = request
        _ = try await request.collectBody(upTo: mostBody)
        return request
      }
      group.addTask {
        try await Task.sleep(for: patience)
        return nil
      }
      defer { group.cancelAll() }
      guard let first = try await group.next(), let whole = first else {
        throw HTTPProblem(.requestTimeout, "the body does not come")
      }
      return whole
    }
  }

  /// The body of a call whose arguments are a JSON object; nil for none.
  mutating func object() async throws -> JSONFields? {
    let data = try await body()
    guard !data.isEmpty else { return nil }
    let type = request.headers[.contentType]?.split { $0 == ";" || $0 == " " }.first
    guard type?.lowercased() == "application/json" else {
      throw HTTPProblem(
        .unsupportedMediaType, "the body must be JSON",
        resolution: "Send it with Content-Type: application/json.")
    }
    guard let fields = JSONFields(data) else {
      throw HTTPProblem(
        .badRequest, "the body must be a JSON object in UTF-8 without keys given twice")
    }
    return fields
  }

  var wantsEvents: Bool { request.headers[.accept]?.contains("text/event-stream") ?? false }

  func query(_ name: String) -> String? { request.uri.queryParameters[name[...]].map(String.init) }

  /// Does the work unless its client goes away; then the work is cancelled and still awaited.
  func unlessAbandoned<Result: Sendable>(
    _ work: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    try await request.body.consumeWithCancellationOnInboundClose { _ in try await work() }
  }
}
