import FoundationEssentials
import HTTPTypes
import ProctorEngine
import ProctorModel
import ProctorSchemas

/// The OpenAPI 3.1 document of the service, made of the same table and schemas as its answers.
enum OpenAPI {
  /// - Parameter endpoints: everything that can be called.
  static func document(_ endpoints: [HTTPEndpoint]) -> JSONValue {
    var paths: [(path: String, methods: [(String, JSONValue)])] = []
    for endpoint in endpoints {
      let path = "/\(endpoint.route.path)"
      let entry = (endpoint.route.method.rawValue.lowercased(), complete(endpoint))
      if let index = paths.firstIndex(where: { $0.path == path }) {
        paths[index].methods.append(entry)
      } else {
        paths.append((path, [entry]))
      }
    }
    return [
      "openapi": "3.1.0",
      "info": [
        "title": "proctor", "version": .string(ProctorVersion.text),
        "description":
          "One trustworthy verdict on a repository's tests, and functions and code run safely. Answers are by the contract's schemas; a failing test is an answer, not an error.",
      ],
      "paths": .object(paths.map { ($0.path, .object($0.methods)) }),
      "components": [
        "schemas": .object(schemas),
        "securitySchemes": [
          "token": [
            "type": "http", "scheme": "bearer",
            "description": "The service's token; not needed where it was started without one.",
          ],
          "confirmation_token": [
            "type": "http", "scheme": "bearer",
            "description": "Of whoever answers questions in the user's name.",
          ],
        ],
      ],
    ]
  }

  private static var schemas: [(String, JSONValue)] {
    let names = Set(Operation.all.filter { $0.route != nil }.map(\.schema) + ["audit"]).sorted()
    return [("problem", problem)] + names.map { ($0, .text(schema($0))) }
  }

  /// Without the key by which it would be a document of its own, and referring to its parts where they are here.
  private static func schema(_ name: String) -> Data {
    let published = String(decoding: SchemaLibrary.schema(name) ?? Data("{}".utf8), as: UTF8.self)
    let text = JSONText.compacted(
      Data(
        published.replacing("\"#/$defs/", with: "\"#/components/schemas/\(name)/$defs/").utf8))
    guard let fields = JSONFields(text) else { return text }
    let members = fields.names.filter { $0 != "$schema" }
    return JSONValue.object(members.map { ($0, .text(fields[$0] ?? Data("null".utf8))) }).data
  }

  private static let problem: JSONValue = [
    "type": "object",
    "description": "Why there is no other answer (RFC 9457).",
    "properties": [
      "type": ["type": "string"], "title": ["type": "string"], "status": ["type": "integer"],
      "detail": ["type": "string"], "resolution": ["type": "string"], "code": ["type": "string"],
      "confirmation": ["type": "string"], "request_id": ["type": "string"],
    ], "required": ["type", "title", "status", "detail", "request_id"],
  ]

  // MARK: one endpoint

  /// What can go wrong with any call.
  private static func complete(_ endpoint: HTTPEndpoint) -> JSONValue {
    guard case .object(var members) = endpoint.description else { return endpoint.description }
    members.insert(("operationId", .string(endpoint.name)), at: 0)
    switch endpoint.need {
    case .nobody: members.append(("security", .array([])))
    case .caller: members.append(("security", [[:], ["token": []]]))
    case .confirmer: members.append(("security", [["confirmation_token": []]]))
    }
    guard let index = members.firstIndex(where: { $0.0 == "responses" }),
      case .object(let responses) = members[index].1
    else { return .object(members) }
    members[index].1 = .object(responses + [("default", problemResponse)])
    return .object(members)
  }

  private static let problemResponse: JSONValue = [
    "description":
      "Why there is no other answer: 400 the call is not by this document · 401 a token is wanted · 403 not from there, or the user did not allow it · 404 no such thing · 409 the workspace or its settings · 413 too large · 415 not JSON · 422 it cannot be followed · 428 the user is asked, come back · 429 too much goes on (Retry-After) · 503 this machine cannot, or the service ends",
    "content": [
      "application/problem+json": ["schema": ["$ref": "#/components/schemas/problem"]],
      "application/json": ["schema": ["type": "object"]],
    ],
  ]

  private static func parameter(_ parameter: Parameter, in place: String) -> JSONValue {
    [
      "name": .string(parameter.name), "in": .string(place),
      "required": .bool(parameter.isRequired), "description": .string(parameter.description),
      "schema": parameter.schema,
    ]
  }

  private static let workspace = parameter(HTTPWorkspaces.parameter, in: "query")

  private static func answer(_ description: String, _ schema: JSONValue) -> JSONValue {
    [
      "description": .string(description),
      "content": ["application/json": ["schema": schema]],
    ]
  }

  static func describe(_ operation: Operation, _ route: HTTPRoute) -> JSONValue {
    let isQuery = route.method == .get
    let query = isQuery ? operation.parameters.map { parameter($0, in: "query") } : []
    var confirmation: [JSONValue] = []
    if operation.asks {
      confirmation = [
        [
          "name": "Proctor-Confirmation", "in": "header",
          "description": "The question that the call comes back with.",
          "schema": ["type": "string"],
        ]
      ]
    }
    let schema: JSONValue = ["$ref": .string("#/components/schemas/\(operation.schema)")]
    return [
      "summary": .string(operation.title), "description": .string(operation.description),
      "parameters": .array([workspace] + confirmation + query),
      "requestBody": isQuery
        ? nil
        : [
          "required": .bool(operation.parameters.contains(where: \.isRequired)),
          "content": ["application/json": ["schema": body(of: operation)]],
        ],
      "responses": [
        "200": [
          "description":
            "The answer, also where a test failed or code ended badly. With Accept: text/event-stream the events progress and test, last answer or problem.",
          "content": [
            "application/json": ["schema": schema],
            "text/event-stream": [:],
          ],
        ]
      ],
    ]
  }

  private static func body(of operation: Operation) -> JSONValue {
    let parameters = operation.parameters
    return [
      "type": "object",
      "properties": .object(parameters.map { ($0.name, $0.lenientSchema) }),
      "required": .array(parameters.filter(\.isRequired).map { .string($0.name) }),
      "additionalProperties": false,
    ]
  }

  // MARK: those that are no operations

  private static let row: JSONValue = [
    "type": "object",
    "properties": [
      "run": ["type": "string"], "operation": ["type": "string"], "status": ["type": "string"],
      "reason": ["type": "string"], "started_at": ["type": "string", "format": "date-time"],
      "execution_time_ms": ["type": "number"], "total_tests": ["type": "integer"],
      "passed": ["type": "integer"], "failed": ["type": "integer"],
      "skipped": ["type": "integer"],
    ], "required": ["run", "operation", "status", "started_at"],
  ]
  private static let runParameter = parameter(
    Parameter("run", .string, "The run's handle, such as run-1.", isRequired: true), in: "path")

  static let runs: JSONValue = [
    "summary": "The runs of tests, the newest first", "parameters": [workspace],
    "responses": [
      "200": answer(
        "All that are kept.",
        [
          "type": "object", "properties": ["runs": ["type": "array", "items": row]],
          "required": ["runs"],
        ])
    ],
  ]
  static let run: JSONValue = [
    "summary": "A run: how far it is, or its whole report",
    "parameters": [runParameter, workspace],
    "responses": [
      "200": answer(
        "By the schema of run_all_tests, whatever started it.",
        ["$ref": "#/components/schemas/run_all_tests"])
    ],
  ]
  static let stop: JSONValue = [
    "summary": "End a run now", "parameters": [runParameter, workspace],
    "responses": [
      "200": answer("The run as it ended.", ["$ref": "#/components/schemas/run_all_tests"])
    ],
  ]
  static let events: JSONValue = [
    "summary": "Watch a run", "parameters": [runParameter, workspace],
    "responses": [
      "200": [
        "description":
          "Events: progress about twice a second, test for each that has ended (in arrays), end.",
        "content": ["text/event-stream": [:]],
      ]
    ],
  ]
  static let confirmations: JSONValue = [
    "summary": "Questions that wait for the user's answer",
    "responses": [
      "200": answer(
        "The oldest first; an answer is wanted within five minutes.",
        [
          "type": "object", "properties": ["confirmations": ["type": "array"]],
          "required": ["confirmations"],
        ])
    ],
  ]
  static let confirm: JSONValue = [
    "summary": "Answer a question in the user's name",
    "parameters": [
      parameter(
        Parameter("confirmation", .string, "The question's name.", isRequired: true), in: "path")
    ],
    "requestBody": [
      "required": true,
      "content": [
        "application/json": [
          "schema": [
            "type": "object",
            "properties": ["allow": ["type": "boolean"], "remember": ["type": "boolean"]],
            "required": ["allow"], "additionalProperties": false,
          ]
        ]
      ],
    ], "responses": ["200": answer("What was answered.", ["type": "object"])],
  ]
  static let mcp: JSONValue = [
    "summary": "The Model Context Protocol", "parameters": [workspace],
    "description":
      "Streamable HTTP of 2026-07-28 and of the versions with initialize: one JSON-RPC message a request.",
    "requestBody": [
      "required": true, "content": ["application/json": ["schema": ["type": "object"]]],
    ],
    "responses": [
      "200": [
        "description": "The response, or for calls of tools a stream of events.",
        "content": [
          "application/json": ["schema": ["type": "object"]],
          "text/event-stream": [:],
        ],
      ], "202": ["description": "Taken; there is no response to it."],
    ],
  ]
  static let mcpEnd: JSONValue = [
    "summary": "End a session of the Model Context Protocol",
    "parameters": [
      [
        "name": "Mcp-Session-Id", "in": "header", "required": true, "schema": ["type": "string"],
      ]
    ], "responses": ["204": ["description": "It has ended."]],
  ]
  static let health: JSONValue = [
    "summary": "Is it there?",
    "responses": [
      "200": answer(
        "It is.",
        [
          "type": "object",
          "properties": ["status": ["const": "ok"], "version": ["type": "string"]],
          "required": ["status", "version"],
        ])
    ],
  ]
  static let metrics: JSONValue = [
    "summary": "Figures for Prometheus",
    "responses": [
      "200": [
        "description": "In its text format.",
        "content": ["text/plain": ["schema": ["type": "string"]]],
      ]
    ],
  ]
  static let page: JSONValue = [
    "summary": "The page to look at runs with", "parameters": [workspace],
    "responses": [
      "200": ["description": "It asks for the runs by itself.", "content": ["text/html": [:]]],
      "303": ["description": "It shows one of several workspaces."],
    ],
  ]
  static let audit: JSONValue = [
    "summary": "The calls on record of a workspace, the newest first",
    "parameters": .array([workspace] + HTTPAudit.parameters.map { parameter($0, in: "query") }),
    "responses": ["200": answer("As proctor audit tells.", ["$ref": "#/components/schemas/audit"])],
  ]
  static let itself: JSONValue = [
    "summary": "This document", "responses": ["200": answer("It.", ["type": "object"])],
  ]
}
