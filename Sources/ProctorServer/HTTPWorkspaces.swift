import HTTPTypes
import ProctorEngine

/// The workspaces that a service was started with; there is no way to name another one.
struct HTTPWorkspaces: Sendable {
  /// Of the query of any call.
  static let parameter = Parameter(
    "workspace", .string,
    "The workspace, by its name at the service's start. Not needed where there is one only.")

  /// In the order in which they were given; not empty.
  let all: [ServedWorkspace]

  /// - Throws: `HTTPProblem` for a name that is none, and where one is needed.
  func workspace(of call: HTTPCall) throws(HTTPProblem) -> ServedWorkspace {
    let names = all.map(\.name).joined(separator: ", ")
    guard let name = call.query(Self.parameter.name) else {
      guard all.count == 1, let only = all.first else {
        throw HTTPProblem(
          .badRequest, "which workspace?", resolution: "Add ?workspace= with one of \(names).")
      }
      return only
    }
    guard let found = all.first(where: { $0.name == name }) else {
      throw HTTPProblem(
        .notFound, "there is no workspace \(name.prefix(100))",
        resolution: "The workspaces are \(names).")
    }
    return found
  }
}
