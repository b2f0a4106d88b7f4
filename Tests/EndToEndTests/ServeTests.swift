import Testing

/// `proctor serve` as clients see it; Tests/Support/http_server.py holds what they do.
@Suite(.serialized) struct ServeTests {
  @Test(arguments: [
    "Operations", "Access", "Workspaces", "Confirmation", "Ends", "Queue", "OpenAPI", "MCP",
    "MCPEnds",
  ])
  func `clients over HTTP`(part: String) throws {
    try PythonScript(name: "http_server.py", arguments: [part], environment: "mcp").check()
  }
}
