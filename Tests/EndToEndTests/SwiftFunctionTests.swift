import Foundation
import Testing

/// Functions of Swift called through the command line.
@Suite(.serialized) struct SwiftFunctionTests {
  private typealias Call = FunctionCall

  private static let shop = "Code/shop-lib/Shop.swift"

  private let folder: TemporaryFolder
  private let workspace: String

  init() throws {
    folder = try TemporaryFolder()
    workspace = try folder.copy(fixture: "functions/swift")
    // A file that changed just now is never taken for one that is known.
    Thread.sleep(forTimeInterval: 0.1)
  }

  private func check(_ calls: [Call], _ file: String = shop) throws {
    for call in calls { try call.check(file, in: workspace) }
  }

  // MARK: calls

  @Test func `arguments and results`() throws {
    try check([
      Call(name: "add", arguments: "[1]", result: "3", says: "adding\n"),
      Call(name: "add", arguments: "[1, 5]", result: "6"),
      Call(name: "add", arguments: #"{"to": 5, "a": 1}"#, result: "6"),
      Call(name: "add(_:to:)", arguments: "7", result: "9"),
      Call(
        name: "pay", arguments: #"[{"cents": 5, "currency": "eur"}]"#,
        result: #"{"cents":6,"currency":"eur"}"#),
      Call(name: "Cart.size", arguments: #"[{"items": {"a": 2, "b": 3}}]"#, result: "5"),
      Call(
        name: "Cart.made", arguments: #"{"of": "a", "tags": ["b", "]"]}"#,
        result: #"{"items":{"ab]":1}}"#),
      Call(name: "Cart.Nested.deep", arguments: "[null]", result: #""NaN""#),
      Call(name: "Cart.Nested.deep", arguments: #"["-Infinity"]"#, result: #""-Infinity""#),
      Call(name: "viaC", arguments: "[2, 3]", result: "5"),
      Call(name: "prices", result: #""apple 3\n""#),
      Call(name: "open", arguments: #"["monday"]"#, result: #""monday""#),
      Call(name: "later", arguments: "[[1, 2]]", result: "3"),
      Call(name: "onMain", result: "true"),
      Call(name: "counted", result: "3"),
      Call(name: "onMainLater", result: #""main""#),
      Call(name: "pair", result: #"["a",1]"#),
      Call(name: "named", result: #"{"name":"a","count":1}"#),
      Call(name: "nothing", result: "null"),
      Call(name: "either", arguments: "[true]", result: "1"),
      Call(
        name: "when", arguments: #"["2026-01-31T12:00:00Z"]"#, result: #""2026-01-31T12:01:00Z""#),
      Call(name: "Box<Int>.wrap", arguments: "[1]", result: "[1]"),
      Call(name: "Array<Int>.upTo", arguments: "[2]", result: "[0,1]"),
      Call(
        name: "repeat", arguments: #"{"in": "a", "for": 2}"#, result: #""aa""#),
      Call(name: "repeat", arguments: #"["a", 2]"#, result: #""aa""#),
      Call(name: "over(a:)", arguments: "[1]", result: #""label""#),
      Call(name: "forge", result: "2", says: "returned"),
    ])
  }

  @Test func `results that are read by reflection say so`() throws {
    for (call, form) in [
      (Call(name: "plain", result: #"[{"name":"plain","sizes":[1]}]"#), "reflection"),
      (Call(name: "shape", arguments: "[0]", result: #""none""#), "reflection"),
      (Call(name: "shape", arguments: "[2]"), "reflection"),
      (Call(name: "either", arguments: "[false]", result: #""closed(day: \"x\")""#), "err"),
    ] {
      let answer = try call.check(Self.shop, in: workspace)
      #expect(answer["result_form"] as? String == form)
    }
    let endless = try Call(name: "squares").check(Self.shop, in: workspace)
    #expect(endless["truncated"] as? Bool == true)
    #expect((endless["result"] as? [Int])?.count == 10_000)
  }

  // MARK: failures

  @Test func `what the program does wrong`() throws {
    try check([
      Call(
        name: "open", arguments: #"["sunday"]"#, error: "runtime_error",
        says: #"ShopError: closed(day: "sunday")"#),
      Call(name: "boom", error: "runtime_error", says: "own words", line: 68),
      Call(
        name: "pick", arguments: "[[1], 3]", error: "runtime_error", says: "out of range", line: 71),
      Call(
        name: "grow", arguments: "[200]", error: "runtime_error", says: "arithmetic overflow",
        line: 74),
      Call(name: "unwrap", arguments: "[null]", error: "runtime_error", says: "nil", line: 77),
      Call(
        name: "cast", arguments: #"["x"]"#, error: "runtime_error", says: "Could not cast", line: 81
      ),
      Call(
        name: "positive", arguments: "[0]", error: "runtime_error", says: "not positive", line: 84),
      Call(name: "deep", arguments: "[1]", error: "runtime_error", says: "call stack exhausted"),
      Call(name: "leave", error: "runtime_error", says: "exit status 0"),
      // Without its channel nothing can be told.
      Call(name: "closing", error: "runtime_error", says: "exit status 3"),
      Call(name: "stop", error: "crashed", says: "SIGABRT"),
      Call(name: "crash", error: "crashed", says: "SIGSEGV"),
      Call(name: "closure", error: "unserializable_result", says: "has no JSON form"),
      Call(name: "circle", error: "unserializable_result", says: "result.next"),
    ])
  }

  @Test func `limits and denials`() throws {
    try check([
      Call(name: "spin", error: "timeout", options: ["--timeout", "1"]),
      Call(name: "nap", error: "timeout", options: ["--timeout", "1"]),
      Call(name: "spin", error: "cpu_limit", options: ["--timeout", "30"]),
      Call(name: "hog", error: "memory_limit"),
      Call(name: "huge", error: "output_limit"),
      Call(name: "save", error: "permission_denied", says: "max_file_operations would allow it"),
    ])
    #expect(!FileManager.default.fileExists(atPath: "\(workspace)/made"))
  }

  // MARK: what is not called

  @Test func `wrong arguments are named`() throws {
    try check([
      Call(name: "add", arguments: #"["x"]"#, error: "bad_arguments", says: "argument a: "),
      Call(name: "add", arguments: #"["x"]"#, error: "bad_arguments", says: "Int"),
      Call(name: "add", arguments: "[1, 2, 3]", error: "bad_arguments", says: "takes 2 arguments"),
      Call(name: "add", error: "bad_arguments", says: "argument a is missing; expected Int"),
      Call(name: "add", arguments: #"{"b": 1}"#, error: "bad_arguments", says: "no argument b"),
      Call(name: "grow", arguments: "[300]", error: "bad_arguments", says: "UInt8"),
      Call(
        name: "pay", arguments: #"[{"cents": 5, "currency": "chf"}]"#, error: "bad_arguments",
        says: "at .currency"),
      Call(
        name: "pay", arguments: #"[{"currency": "usd"}]"#, error: "bad_arguments",
        says: "cents is missing"),
      Call(name: "takes", arguments: "[{}]", error: "bad_arguments", says: "only Codable types"),
      Call(name: "over", arguments: "[1]", error: "bad_arguments", says: "one of several"),
    ])
  }

  @Test func `what cannot be called is refused with the reason`() throws {
    try check([
      Call(name: "hidden", error: "bad_arguments", says: "is private"),
      Call(name: "generic", arguments: "[1]", error: "bad_arguments", says: "generic"),
      Call(name: "Box.wrap", arguments: "[1]", error: "bad_arguments", says: "Box<Int>"),
      Call(name: "change", arguments: "[1]", error: "bad_arguments", says: "value is inout"),
      Call(name: "apply", arguments: "[1]", error: "bad_arguments", says: "body is a function"),
      Call(name: "many", arguments: "[1]", error: "bad_arguments", says: "any number of values"),
      Call(name: "Cart.first", error: "bad_arguments", says: "method of a value"),
      Call(name: "ad", error: "not_found"),
      Call(name: "f(); evil", error: "not_found"),
      Call(name: "add\nx", error: "not_found"),
    ])
    let missing = try Call(name: "prises", error: "not_found").check(Self.shop, in: workspace)
    let near = (missing["suggestions"] as? [[String: Any]])?.first
    #expect(near?["name"] as? String == "prices")
    #expect(near?["line"] as? Int == 27)
    try check([Call(name: "helper", error: "build_error")], "Tests/ShopTests/ShopTests.swift")
    try check([Call(name: "x", error: "build_error", says: "no target")], "Package.swift")
  }

  @Test func `programs, and scripts whose variables nobody sets`() throws {
    try check([Call(name: "twice", arguments: "[4]", result: "8")], "Sources/tool/Tool.swift")
    try check([Call(name: "plus", arguments: "[4]", result: "5")], "Sources/script/parts.swift")
    try check(
      [Call(name: "scaled", arguments: "[4]", error: "bad_arguments", says: "variables")],
      "Sources/script/main.swift")
    // What needs such a file is not answered either, as zero would be a lie.
    try folder.write(
      "func plus(_ value: Int) -> Int { scaled(value) }\n",
      to: "workspace/Sources/script/parts.swift")
    try check(
      [Call(name: "plus", arguments: "[4]", error: "bad_arguments", says: "top level")],
      "Sources/script/parts.swift")
  }

  // MARK: builds

  /// What is built to answer a call, as it is announced.
  private func builds(_ arguments: [String]) throws -> (result: String, stderr: String) {
    let outcome = try ProctorProcess(["exec"] + arguments + ["--yes"], in: workspace).run()
    #expect(outcome.status == 0, "\(outcome.text) \(outcome.stderr)")
    return (outcome.text, outcome.stderr)
  }

  @Test func `a second call compiles nothing, a change is seen`() throws {
    let file = "Code/shop-lib/Shop.swift"
    let first = try builds([file, "add", "[1]"])
    #expect(first.stderr.contains("building Shop"))
    let second = try builds([file, "add", "[5]"])
    #expect(second.result.contains("7"))
    #expect(!second.stderr.contains("ing "), "\(second.stderr)")
    // Another function is compiled for its call, the package is not looked at.
    let other = try builds([file, "nothing"])
    #expect(other.stderr.contains("compiling the call"))
    #expect(!other.stderr.contains("package"))
    // A change two targets away, of equal size and with its old date.
    let base = "\(workspace)/Sources/CBase/base.c"
    let date = try FileManager.default.attributesOfItem(atPath: base)[.modificationDate]
    let text = try String(contentsOfFile: base, encoding: .utf8)
    #expect(try builds([file, "viaC", "[4, 2]"]).result.hasPrefix("6\n"))
    try folder.write(
      text.replacingOccurrences(of: "a + b", with: "a - b"), to: "workspace/Sources/CBase/base.c")
    if let date {
      try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: base)
    }
    #expect(try builds([file, "viaC", "[4, 2]"]).result.hasPrefix("2\n"))
    // A resource.
    try folder.write("pear 4\n", to: "workspace/Code/shop-lib/prices.txt")
    #expect(try builds([file, "prices"]).result.contains("pear 4"))
  }

  @Test func `a package outside of the workspace, which may change unseen, is always looked at`()
    throws
  {
    let manifest = """
      // swift-tools-version: 5.9
      import PackageDescription
      let package = Package(
      """
    try folder.write(
      manifest + """
        name: "near", products: [.library(name: "Near", targets: ["Near"])],
        targets: [.target(name: "Near")])
        """, to: "near/Package.swift")
    try folder.write(
      manifest + """
        name: "far", dependencies: [.package(path: "../near")],
        targets: [.target(name: "Far", dependencies: [.product(name: "Near", package: "near")])])
        """, to: "far/Package.swift")
    try folder.write("import Near\nfunc f() -> Int { near() }\n", to: "far/Sources/Far/Far.swift")
    try folder.write("[tests]\nread = [\"\(folder.path)/near\"]\n", to: "far/proctor.toml")
    for value in ["1", "2"] {
      try folder.write(
        "public func near() -> Int { \(value) }\n", to: "near/Sources/Near/Near.swift")
      Thread.sleep(forTimeInterval: 0.1)
      try Call(name: "f", result: value).check(
        "Sources/Far/Far.swift", in: "\(folder.path)/far")
    }
  }

  @Test func `errors of the package have their place`() throws {
    let shop = try String(contentsOfFile: "\(workspace)/\(Self.shop)", encoding: .utf8)
    try check([Call(name: "add", arguments: "[1]", result: "3")])
    try folder.write("let no: Int = \"x\"\n" + shop, to: "workspace/\(Self.shop)")
    try check([Call(name: "add", arguments: "[1]", error: "build_error", line: 1)])
    try folder.write("let\n", to: "workspace/Package.swift")
    try check([Call(name: "add", arguments: "[1]", error: "build_error")])
  }

  // MARK: a file alone

  @Test func `a file alone, changed between calls`() throws {
    for (text, result) in [("1", "1"), ("2", "2"), ("2", "2")] {
      try folder.write("func f() -> Int { \(text) }\n", to: "alone/a.swift")
      try Call(name: "f", result: result).check("a.swift", in: "\(folder.path)/alone")
    }
    for (text, error, line) in [
      ("func f() -> Int { \"no\" }\n", "build_error", Int?(1)),
      ("func f() -> Int {\r\n  undefined\r\n}\r\n", "build_error", 2), ("", "not_found", nil),
      ("func f( {", "build_error", 1),
      ("let x = 1\nprint(x)\nfunc f() -> Int { x }\n", "bad_arguments", 3),
    ] {
      try folder.write(text, to: "alone/a.swift")
      try Call(name: "f", error: error, line: line).check("a.swift", in: "\(folder.path)/alone")
    }
    try folder.write(
      "nonisolated(unsafe) var x = 1\nfunc f() -> Int { x += 1; return x }\n", to: "alone/a.swift")
    Thread.sleep(forTimeInterval: 0.1)
    try Call(name: "f", result: "2").check("a.swift", in: "\(folder.path)/alone")
    try folder.write("print(1)\nfunc f() -> Int { 2 }\n", to: "alone/a.swift")
    try Call(name: "f", result: "2").check("a.swift", in: "\(folder.path)/alone")
    try folder.write(Data([0x66, 0xff, 0xfe, 0x0a]), to: "alone/a.swift")
    try Call(name: "f", error: "build_error").check("a.swift", in: "\(folder.path)/alone")
  }

  @Test(arguments: ["namespaces", "bubblewrap", "none"])
  func `functions are called in every backend`(isolation: String) throws {
    try folder.write("func f(x: Int) -> Int { x }\n", to: "alone/a.swift")
    let answer = try Call(name: "f", arguments: "[7]", isolation: isolation, result: "7")
      .check("a.swift", in: "\(folder.path)/alone")
    #expect((answer["sandbox"] as? [String: Any])?["backend"] as? String == isolation)
    try Call(name: "twice", arguments: "[4]", isolation: isolation, result: "8")
      .check("Sources/tool/Tool.swift", in: workspace)
  }

  @Test func `calls at once`() throws {
    try folder.write("func f(x: Int) -> Int { x + 1 }\n", to: "alone/a.swift")
    let running = try (0..<3).map { number in
      try ProctorProcess(
        ["exec", "a.swift", "f", "[\(number)]", "--yes", "--format", "json"],
        in: "\(folder.path)/alone"
      ).start()
    }
    for (number, call) in running.enumerated() {
      #expect(try call.wait().json()["result"] as? Int == number + 1)
    }
  }
}
