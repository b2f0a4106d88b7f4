/// One record of the guest plugin.
struct PytestRecord: Decodable {
  struct Problem: Decodable {
    let type: String
    let message: String
    let place: Place?
    let frames: [Place]?
  }

  /// `[file, line]`, `[file, line, column]` or `[file, line, function]`.
  struct Place: Decodable {
    let file: String
    let line: Int?
    let column: Int?
    let function: String?

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      file = try container.decode(String.self)
      line = try? container.decode(Int.self)
      if container.isAtEnd {
        (column, function) = (nil, nil)
      } else if let number = try? container.decode(Int.self) {
        (column, function) = (number, nil)
      } else {
        (column, function) = (nil, try? container.decode(String.self))
      }
    }
  }

  struct Output: Decodable {
    let stdout: String?
    let stderr: String?
    let log: String?
  }

  let event: String
  let id: String?
  let occurrence: Int?
  let name: String?
  let suite: String?
  let file: String?
  let line: Int?
  let when: String?
  let outcome: String?
  let duration: Double?
  let xfail: String?
  let subtest: String?
  let reason: String?
  /// How the report contradicts what the test did.
  let lie: String?
  let text: String?
  let error: Problem?
  let output: Output?
  /// Seconds of the phases that passed and have nothing more to say.
  let plain: [String: Double]?
  /// xdist's name of the process that ran it.
  let worker: String?
  let exit: Int?
}
