import FoundationEssentials
import HTTPTypes
import Hummingbird
import ProctorEngine

/// Why a call has no other answer, in the form of RFC 9457.
struct HTTPProblem: Error {
  let status: HTTPResponse.Status
  let detail: String
  /// What the caller can do.
  let resolution: String?
  /// More members of the answer.
  var members: [(String, JSONValue)] = []
  var headers = HTTPFields()

  init(_ status: HTTPResponse.Status, _ detail: String, resolution: String? = nil) {
    self.status = status
    self.detail = detail
    self.resolution = resolution
  }

  /// - Parameters:
  ///   - isMalformed: the arguments are not by the schema; otherwise they cannot be followed.
  ///   - retryAfter: seconds.
  init(_ error: EngineError, isMalformed: Bool, retryAfter: Int) {
    let status: HTTPResponse.Status =
      switch error.code {
      case .usage: isMalformed ? .badRequest : .unprocessableContent
      case .workspace, .configuration: .conflict
      case .busy: .tooManyRequests
      case .sandbox, .storage, .interrupted: .serviceUnavailable
      }
    self.init(status, error.message, resolution: error.resolution)
    members = [("code", .string(error.code.rawValue))]
    if error.code == .busy { headers[.retryAfter] = "\(retryAfter)" }
  }

  /// - Parameter id: of the request.
  func json(id: String) -> JSONValue {
    var body: [(String, JSONValue)] = [
      ("type", "about:blank"), ("title", .string(status.reasonPhrase)),
      ("status", .int(status.code)), ("detail", .string(detail)),
    ]
    if let resolution { body.append(("resolution", .string(resolution))) }
    return .object(body + members + [("request_id", .string(id))])
  }

  func response(id: String) -> Response {
    var headers = headers
    headers[.contentType] = "application/problem+json"
    return Response(
      status: status, headers: headers,
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: json(id: id).data)))
  }
}

extension Response {
  static func json(_ data: Data, status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
  }

  static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
    json(value.data, status: status)
  }
}
