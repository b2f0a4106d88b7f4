import HTTPTypes
import Hummingbird
import Logging

extension HTTPField.Name {
  fileprivate static let requestID = HTTPField.Name("X-Request-Id") ?? .authorization
  fileprivate static let framing = HTTPField.Name("X-Frame-Options") ?? .authorization
}

/// Where every call comes in and every answer goes out: it is admitted, named, logged and counted.
struct HTTPDesk: Sendable {
  /// Characters of a name that a client gives its call.
  private static let longestID = 64

  let access: HTTPAccess
  let figures: ServiceFigures
  let logger: Logger

  func answer(
    _ request: Request, _ context: ServiceContext, _ endpoint: HTTPEndpoint
  ) async -> Response {
    await answer(request, context, endpoint.name) { id in
      try access.check(request, endpoint.need)
      return try await endpoint.respond(
        HTTPCall(
          request: request, parameters: context.parameters, id: id,
          caller: "\(context.address) with \(access.credential(of: request))",
          isConfirmer: access.isConfirmer(request)))
    }
  }

  /// Refuses what no endpoint takes.
  /// - Parameter methods: that its path has endpoints for.
  func refuse(
    _ request: Request, _ context: ServiceContext, allowing methods: [HTTPRequest.Method]
  ) async -> Response {
    await answer(request, context, "none") { _ in
      try access.check(request, .nobody)
      // A page asks first whether it may call.
      if request.method == .options, !methods.isEmpty, !access.sharing(with: request).isEmpty {
        return Response(status: .noContent)
      }
      if !methods.isEmpty {
        let known = methods.map(\.rawValue).joined(separator: ", ")
        var problem = HTTPProblem(
          .methodNotAllowed, "this is not called with \(request.method.rawValue)",
          resolution: "It is called with \(known).")
        problem.headers[.allow] = known
        throw problem
      }
      throw HTTPProblem(
        .notFound, "there is nothing at this path",
        resolution: "GET /openapi.json tells what there is.")
    }
  }

  private func answer(
    _ request: Request, _ context: ServiceContext, _ name: String,
    _ body: (_ id: String) async throws -> Response
  ) async -> Response {
    let id = request.headers[.requestID].flatMap(Self.checked) ?? context.id
    let begun = ContinuousClock.now
    var response: Response
    do {
      response = try await body(id)
    } catch let problem as HTTPProblem {
      response = problem.response(id: id)
    } catch is CancellationError {
      // Nobody reads it, or the service ends.
      response = HTTPProblem(.serviceUnavailable, "the call was given up").response(id: id)
    } catch {
      logger.error("\(name): \(error)", metadata: ["request_id": "\(id)"])
      response = HTTPProblem(.internalServerError, "the service failed").response(id: id)
    }
    for field in access.sharing(with: request) { response.headers[field.name] = field.value }
    response.headers[.requestID] = id
    response.headers[.xContentTypeOptions] = "nosniff"
    response.headers[.framing] = "DENY"
    if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
    figures.count(request: name, status: response.status.code)
    let milliseconds = Int(begun.duration(to: .now) / .milliseconds(1))
    logger.info(
      "\(request.method.rawValue) \(name) \(response.status.code) \(milliseconds) ms",
      metadata: ["request_id": "\(id)"])
    return response
  }

  private static func checked(_ id: String) -> String? {
    let isPlain = id.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
    }
    return !id.isEmpty && id.utf8.count <= longestID && isPlain ? id : nil
  }
}

/// Answers where no endpoint is.
struct HTTPNothingThere: RouterMiddleware {
  let desk: HTTPDesk
  let routes: [HTTPRoute]

  func handle(
    _ request: Request, context: ServiceContext,
    next: (Request, ServiceContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch let error as HTTPError where error.status == .notFound {
      let there = routes.filter { $0.leads(to: request.uri.path) }
      return await desk.refuse(request, context, allowing: there.map(\.method))
    }
  }
}
