import FoundationEssentials
import ProctorModel
import ProctorSchemas

/// The operations as tools.
enum MCPTools {
  static let list = MCPResult(
    [("tools", .array(Operation.all.map(describe)))], keeping: .whole)

  private static func describe(_ operation: Operation) -> JSONValue {
    [
      "name": .string(operation.name), "title": .string(operation.title),
      "description": .string(operation.description), "inputSchema": operation.inputSchema,
      "outputSchema": .text(
        JSONText.compacted(SchemaLibrary.schema(operation.schema) ?? Data("{}".utf8))),
      "annotations": [
        "title": .string(operation.title), "readOnlyHint": .bool(operation.hints.isReadOnly),
        "destructiveHint": .bool(operation.hints.isDestructive),
        "idempotentHint": .bool(operation.hints.isIdempotent),
        "openWorldHint": .bool(operation.hints.isOpenWorld),
      ],
    ]
  }

  static func result(_ answer: OperationAnswer) -> MCPResult {
    let pictures: [JSONValue] = answer.pictures.map {
      [
        "type": "image", "data": .string($0.data.base64EncodedString()),
        "mimeType": .string($0.mediaType),
      ]
    }
    var members: [(String, JSONValue)] = [
      ("content", .array([["type": "text", "text": .string(answer.text)]] + pictures))
    ]
    if let json = answer.json { members.append(("structuredContent", .text(json))) }
    members.append(("isError", .bool(answer.isError)))
    return MCPResult(members)
  }
}
