import FoundationEssentials
import ProctorModel

/// One message of JSON-RPC 2.0 as it came.
enum RPCMessage: Sendable {
  case request(RPCRequest)
  case notification(method: String, params: JSONFields?)
  /// What a client answers to a question of ours; nil for an error.
  case response(id: RPCID, result: JSONFields?)

  /// - Throws: what the sender is told.
  init(_ line: Data) throws(RPCError) {
    let text: JSONText
    do {
      text = try JSONText(line)
    } catch {
      throw RPCError(
        .parse,
        error == .depth
          ? "nested deeper than \(JSONText.depthLimit)"
          : "the line is not one JSON value in UTF-8 without keys given twice")
    }
    guard let fields = JSONFields(text) else {
      throw RPCError(.invalidRequest, "a message is one JSON object; batches are not taken")
    }
    try self.init(fields)
  }

  private init(_ fields: JSONFields) throws(RPCError) {
    let id = fields["id"].flatMap(RPCID.init)
    func invalid(_ why: String) -> RPCError { RPCError(.invalidRequest, why, id: id) }
    guard fields.string("jsonrpc") == "2.0" else { throw invalid("jsonrpc must be \"2.0\"") }
    if fields.has("id"), id == nil { throw invalid("id must be a string or an integer") }
    if let id, !fields.has("method"), fields.has("result") || fields.has("error") {
      self = .response(id: id, result: fields.fields("result"))
      return
    }
    guard let method = fields.string("method") else { throw invalid("method must be a string") }
    let params = fields.fields("params")
    guard params != nil || fields["params"] == nil else {
      throw RPCError(.invalidParams, "params must be an object without keys given twice", id: id)
    }
    self =
      if let id {
        .request(RPCRequest(id: id, method: method, params: params))
      } else {
        .notification(method: method, params: params)
      }
  }
}

struct RPCRequest: Sendable {
  let id: RPCID
  let method: String
  let params: JSONFields?

  var meta: JSONFields? { params?.fields("_meta") }
}

/// What tells requests apart: a string, or an integer of any size.
enum RPCID: Hashable, Sendable {
  case string(String)
  case integer(String)

  init?(_ data: Data) {
    let text = String(decoding: data, as: UTF8.self)
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    if !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      self = .integer(text)
    } else if let string = try? JSONDecoder().decode(String.self, from: data) {
      self = .string(string)
    } else {
      return nil
    }
  }

  var json: JSONValue {
    switch self {
    case .string(let text): .string(text)
    case .integer(let text): .text(Data(text.utf8))
    }
  }
}

/// Why a request has no result.
struct RPCError: Error, Sendable {
  enum Code: Int {
    case parse = -32700
    case invalidRequest = -32600
    case methodNotFound = -32601
    case invalidParams = -32602
    /// Of the versions before 2026-07-28.
    case resourceNotFound = -32002
    /// Of ours: too much is going on.
    case busy = -32010
    case headerMismatch = -32020
    case unsupportedVersion = -32022
  }

  let code: Code
  let message: String
  var data: JSONValue?
  /// Of the message it is about, where there is no request to take it from.
  var id: RPCID?

  init(_ code: Code, _ message: String, data: JSONValue? = nil, id: RPCID? = nil) {
    self.code = code
    self.message = message
    self.data = data
    self.id = id
  }

  var json: JSONValue {
    ["code": .int(code.rawValue), "message": .string(message), "data": data]
  }
}
