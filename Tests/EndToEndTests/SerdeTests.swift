import Foundation
import Testing

/// Functions of Rust with structs and enums, in crates that have serde: from Debian's sources, as nothing is downloaded.
@Suite(.serialized) struct SerdeTests {
  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }

  init() throws { folder = try TemporaryFolder() }

  private typealias Call = FunctionCall

  private static let source = """
    use serde::{Deserialize, Serialize};
    use std::collections::HashMap;
    #[derive(Debug, Clone, Serialize, Deserialize)]
    struct Item { name: String, price: u64, tags: Vec<String>, stock: HashMap<String, i32> }
    #[derive(Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Shape { Square { side: f64 }, Dot }
    #[derive(Debug, Serialize, Deserialize)]
    enum Word { One, Two(i32), Three { a: u128 } }
    #[derive(Serialize, Deserialize)]
    struct Part<'a> { name: &'a str }
    #[derive(Debug)]
    struct Bare { a: i32 }
    #[derive(Serialize)]
    struct Odd { map: HashMap<(i32, i32), i32> }
    fn double(i: Item) -> Item { Item { price: i.price * 2, ..i } }
    fn total(items: &[Item], more: Option<Item>, factor: f64, note: &str) -> (u64, String) {
      let sum: u64 = items.iter().chain(more.as_ref()).map(|i| i.price).sum();
      ((sum as f64 * factor) as u64, note.into())
    }
    fn by_name(items: Vec<Item>) -> HashMap<String, u64> { items.into_iter().map(|i| (i.name, i.price)).collect() }
    fn table(items: HashMap<String, Word>) -> Vec<HashMap<String, Word>> { vec![items] }
    fn words(w: Vec<Word>) -> Vec<Word> { w }
    fn area(s: &Shape) -> Option<Shape> { match s { Shape::Square { side } => Some(Shape::Square { side: side * side }), Shape::Dot => None } }
    fn tag(i: &mut Item, tag: &str) -> Item { i.tags.push(tag.into()); i.clone() }
    fn part(p: Part) -> String { p.name.to_uppercase() }
    fn checked(i: Item) -> Result<Item, Word> { if i.price > 0 { Ok(i) } else { Err(Word::Two(0)) } }
    fn bare() -> Bare { Bare { a: 1 } }
    fn takes(b: Bare) -> i32 { b.a }
    fn odd() -> Odd { Odd { map: [((1, 2), 3)].into() } }
    fn not_a_number(x: f64) -> f64 { x }
    """

  private func crate(_ dependencies: String, _ source: String = Self.source) throws {
    try folder.write(
      """
      [source.crates-io]
      replace-with = "debian"
      [source.debian]
      directory = "/usr/share/cargo/registry"

      """, to: "workspace/.cargo/config.toml")
    try folder.write(
      """
      [package]
      name = "shop"
      version = "0.1.0"
      edition = "2021"
      [dependencies]
      \(dependencies)

      """, to: "workspace/Cargo.toml")
    try folder.write(source, to: "workspace/src/lib.rs")
  }

  private static let serde = "serde = { version = \"1\", features = [\"derive\"] }\n"

  private static let item = #"{"name":"pen","price":3,"stock":{"b":2,"a":1},"tags":["x"]}"#

  @Test func `structs and enums are JSON`() throws {
    try crate(Self.serde + "serde_json = \"1\"")
    let item = Self.item
    let calls = [
      Call(
        name: "double", arguments: item,
        result: #"{"name":"pen","price":6,"stock":{"a":1,"b":2},"tags":["x"]}"#),
      Call(name: "total", arguments: "[[\(item),\(item)],\(item),1.5,\"n\"]", result: #"[13,"n"]"#),
      Call(name: "total", arguments: #"[[], null, "Infinity", "n"]"#, result: #"[0,"n"]"#),
      Call(name: "by_name", arguments: "[[\(item)]]", result: #"{"pen":3}"#),
      Call(
        name: "table", arguments: #"[{"z": "One", "b": {"Two": -1}}]"#,
        result: #"[{"b":{"Two":-1},"z":"One"}]"#),
      Call(
        name: "words",
        arguments: #"[["One", {"Three": {"a": 340282366920938463463374607431768211455}}]]"#,
        result: #"["One",{"Three":{"a":340282366920938463463374607431768211455}}]"#),
      Call(
        name: "area", arguments: #"[{"kind": "square", "side": 3}]"#,
        result: #"{"kind":"square","side":9.0}"#),
      Call(name: "area", arguments: #"[{"kind": "dot"}]"#, result: "null"),
      Call(
        name: "tag", arguments: "[\(item), \"y\"]",
        result: #"{"name":"pen","price":3,"stock":{"a":1,"b":2},"tags":["x","y"]}"#),
      Call(name: "part", arguments: #"[{"name": "a"}]"#, result: #""A""#),
      Call(name: "bare", result: #""Bare { a: 1 }""#),
      Call(name: "not_a_number", arguments: #"["NaN"]"#, result: #""NaN""#),
      Call(
        name: "double", arguments: #"[{"name": "pen"}]"#, error: "bad_arguments",
        says: "missing field `price`"),
      Call(
        name: "tag", arguments: "[\(item), 1]", error: "bad_arguments", says: "argument 2"),
      Call(
        name: "words", arguments: #"[["Four"]]"#, error: "bad_arguments",
        says: "unknown variant `Four`"),
      Call(name: "takes", arguments: "[{}]", error: "bad_arguments", says: "serde"),
      Call(name: "odd", error: "unserializable_result", says: "key must be a string"),
    ]
    for call in calls { try call.check("src/lib.rs", in: workspace) }
    for (price, form) in [("1", nil), ("0", "err")] as [(String, String?)] {
      let answer = try Call(
        name: "checked", arguments: item.replacing("3", with: price)
      ).check("src/lib.rs", in: workspace)
      #expect(answer["result_form"] as? String == form)
    }
  }

  @Test func `serde by other names, in WebAssembly`() throws {
    let source = Self.source.replacing("use serde::", with: "use s::")
      .replacing("#[derive(Serialize, Deserialize)]\nstruct Part", with: "struct Part")
    try crate(
      """
      s = { package = "serde", version = "1", features = ["derive"] }
      json = { package = "serde_json", version = "1" }
      """,
      source.replacing("Deserialize)]\n", with: "Deserialize)]\n#[serde(crate = \"s\")]\n")
        .replacing(
          "#[derive(Serialize)]\n", with: "#[derive(Serialize)]\n#[serde(crate = \"s\")]\n"))
    for isolation in ["auto", "wasm"] {
      try Call(
        name: "words", arguments: #"[[{"Two": 2}]]"#, isolation: isolation,
        result: #"[{"Two":2}]"#
      ).check("src/lib.rs", in: workspace)
    }
  }

  @Test func `serde alone has no JSON`() throws {
    try crate(Self.serde)
    let answer = try Call(name: "bare").check("src/lib.rs", in: workspace)
    #expect(answer["result_form"] as? String == "debug")
    try Call(name: "double", arguments: Self.item, error: "bad_arguments", says: "serde_json")
      .check("src/lib.rs", in: workspace)
  }

  @Test func `calls with structs are timed`() throws {
    try crate(Self.serde + "serde_json = \"1\"")
    let outcome = try ProctorProcess(
      [
        "bench", "src/lib.rs", "area", #"[{"kind": "square", "side": 3}]"#, "--yes", "--format",
        "json", "--iterations", "100",
      ], in: workspace
    ).run()
    #expect(outcome.status == 0, "\(outcome.text)")
    #expect(try outcome.json()["iterations"] as? Int == 100)
  }
}
