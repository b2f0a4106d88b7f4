/// A line of `cargo --message-format=json`.
struct CargoMessage: Decodable {
  struct Target: Decodable {
    let kind: [String]
    let name: String
    let src_path: String
    let doctest: Bool?
  }

  struct Profile: Decodable {
    let test: Bool
  }

  struct Diagnostic: Decodable {
    struct Code: Decodable {
      let code: String
    }

    let message: String
    let level: String
    let code: Code?
    let spans: [Span]
    let rendered: String?
  }

  struct Span: Decodable {
    struct Expansion: Decodable {
      let span: Span
    }

    let file_name: String
    let line_start: Int
    let line_end: Int
    let column_end: Int
    let column_start: Int
    let is_primary: Bool
    private let expansions: [Expansion]

    /// The macro call this span comes from; a list, for structs cannot hold themselves.
    var expansion: Span? { expansions.first?.span }

    private enum CodingKeys: String, CodingKey {
      case file_name, line_start, line_end, column_start, column_end, is_primary, expansion
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      file_name = try container.decode(String.self, forKey: .file_name)
      line_start = try container.decode(Int.self, forKey: .line_start)
      line_end = try container.decode(Int.self, forKey: .line_end)
      column_end = try container.decode(Int.self, forKey: .column_end)
      column_start = try container.decode(Int.self, forKey: .column_start)
      is_primary = try container.decode(Bool.self, forKey: .is_primary)
      expansions =
        try container.decodeIfPresent(Expansion.self, forKey: .expansion).map { [$0] } ?? []
    }
  }

  let reason: String
  let package_id: String?
  let manifest_path: String?
  let target: Target?
  let profile: Profile?
  let executable: String?
  /// What was made.
  let filenames: [String]?
  /// Of the last line: whether everything was built.
  let success: Bool?
  let message: Diagnostic?
}
