import Foundation
import Testing

/// Functions and pieces of TypeScript by the transpiler of the project. Where node strips types by itself, it does.
@Suite(.serialized) struct TypeScriptTests {
  private let folder: TemporaryFolder
  private var workspace: String { "\(folder.path)/workspace" }

  init() throws { folder = try TemporaryFolder() }

  private typealias Call = FunctionCall

  private static let modules = "\(ProctorProcess.repository)/fixtures/node_modules"

  private static let library = """
    interface Deep {
      a: number;
      b?: string;
    }

    export const helper = (d: Deep): number => {
      if (d.a < 0) throw new RangeError("negative");
      return d.a * 2;
    };
    """

  private static let main = """
    import { helper } from "./lib.js";
    import type { Nothing } from "./nowhere";
    import path from "path";

    type Pair<T> = [T, T];

    export function twice(a: number): number {
      return helper({ a });
    }
    export default function (): string { return path.basename("a/b"); }
    export class Shop { static items<T>(x: T): Pair<T> { return [x, x]; } }
    export async function later(x: number) { const m = await import("./lib.js"); return m.helper({ a: x }); }
    export function fail(x: Nothing | null): never {
      throw new TypeError("no");
    }
    export function wrong(x: number): string { return x; }
    """

  private enum Transpiler { case typescript, babel }

  /// The real packages; of babel's no copy of TypeScript may be near.
  private func install(_ transpiler: Transpiler) throws {
    let home = "\(folder.path)/node_modules"
    let files = FileManager.default
    guard transpiler == .babel else {
      return try files.createSymbolicLink(atPath: home, withDestinationPath: Self.modules)
    }
    try files.createDirectory(atPath: home, withIntermediateDirectories: true)
    let left = ["typescript", "core-js", "core-js-pure", ".bin"]
    for name in try files.contentsOfDirectory(atPath: Self.modules) where !left.contains(name) {
      try files.copyItem(atPath: "\(Self.modules)/\(name)", toPath: "\(home)/\(name)")
    }
  }

  private func write(_ type: String) throws {
    try folder.write("{\"type\": \"\(type)\"}\n", to: "workspace/package.json")
    try folder.write(Self.library, to: "workspace/src/lib.ts")
    try folder.write(Self.main, to: "workspace/src/main.ts")
    try folder.write("export const x: = 1;\n", to: "workspace/src/bad.ts")
    try folder.write(
      "\nexport const ok = 1;\nimport \"./bad.js\";\n", to: "workspace/src/uses.ts")
  }

  private static let calls = [
    Call(name: "twice", arguments: "[4]", result: "8"),
    Call(name: "default", result: #""b""#),
    Call(name: "Shop.items", arguments: "[3]", result: "[3,3]"),
    Call(name: "later", arguments: "[3]", result: "6"),
    Call(name: "wrong", arguments: "[3]", result: "3"),
    Call(name: "fail", error: "runtime_error", says: "no", line: 14),
    Call(name: "twic", error: "not_found"),
  ]

  @Test(arguments: ["commonjs", "module"], [true, false])
  func `functions of files that import others`(type: String, isBabel: Bool) throws {
    try install(isBabel ? .babel : .typescript)
    try write(type)
    for call in Self.calls { try call.check("src/main.ts", in: workspace) }
    let inner = try Call(name: "twice", arguments: "[-4]", error: "runtime_error", says: "negative")
      .check("src/main.ts", in: workspace)
    #expect(inner["file"] as? String == "src/lib.ts")
    #expect(inner["line"] as? Int == 7)
    try Call(name: "x", error: "build_error", line: 1).check("src/bad.ts", in: workspace)
    let outer = try Call(name: "ok", error: "build_error").check("src/uses.ts", in: workspace)
    #expect(outer["file"] as? String == "src/bad.ts")
  }

  @Test func `endings tell the kind of module`() throws {
    try install(.typescript)
    try folder.write(
      "const enum E { A = 3 }\nexport const f = (): number => E.A\n", to: "workspace/a.cts")
    try folder.write(
      "import { f } from './a.cjs'\nexport const g = (): number => f() + 1\nexport const h: number = await 1\n",
      to: "workspace/b.mts")
    try Call(name: "f", result: "3").check("a.cts", in: workspace)
    try Call(name: "g", result: "4").check("b.mts", in: workspace)
  }

  @Test func `functions are timed`() throws {
    try install(.typescript)
    try write("commonjs")
    let outcome = try ProctorProcess(
      ["bench", "src/main.ts", "twice", "[4]", "--yes", "--format", "json", "--iterations", "100"],
      in: workspace
    ).run()
    #expect(outcome.status == 0, "\(outcome.text)")
    #expect(try outcome.json()["iterations"] as? Int == 100)
  }

  private func run(_ code: String) throws -> [String: Any] {
    let outcome = try ProctorProcess(
      ["eval", "-l", "ts", "--code", code, "--yes", "--format", "json"], in: workspace
    ).run()
    try Schema.validate(outcome.stdout, "execute_code")
    return try outcome.json()
  }

  @Test func `pieces of code`() throws {
    try install(.typescript)
    try folder.write("{}", to: "workspace/package.json")
    #expect(try run("interface A { x: number }\nconst a: A = { x: 2 }; a.x")["result"] as? Int == 2)
    #expect(
      try run("import os from 'node:os'\nexport default os.EOL as string")["result"] as? String
        == "\n")
    for start in ["", "import 'node:os'\n"] {
      let code =
        start
        + "interface A {\n  x: number\n}\nfunction f(a: A) {\n  throw new TypeError('no')\n}\nf({ x: 1 })"
      let failed = try run(code)
      #expect(failed["error_type"] as? String == "runtime_error")
      #expect(failed["line"] as? Int == (start.isEmpty ? 5 : 6))
    }
    let broken = try run("interface A {}\nconst x: = 1")
    #expect(broken["error_type"] as? String == "build_error")
    #expect(broken["line"] as? Int == 2)
  }

  @Test func `without a transpiler it says what to install`() throws {
    try folder.write("export const f = (): number => 1\n", to: "workspace/a.ts")
    let outcome = try ProctorProcess(
      ["exec", "a.ts", "f", "--yes", "--format", "json"], in: workspace
    ).run()
    if outcome.status == 0 {
      #expect(try outcome.json()["result"] as? Int == 1)  // by node itself
    } else {
      #expect(outcome.text.contains("npm install --save-dev typescript"))
    }
  }
}
