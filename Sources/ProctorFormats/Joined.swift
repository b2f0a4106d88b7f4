/// Several shapes as one object, each with keys of its own.
struct Joined: Encodable {
  private let parts: [any Encodable]

  init(_ parts: any Encodable...) { self.parts = parts }

  func encode(to encoder: any Encoder) throws {
    for part in parts { try part.encode(to: encoder) }
  }
}
