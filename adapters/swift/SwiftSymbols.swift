import FoundationEssentials
import ProctorModel

/// A function as the compiler's symbol graph has it.
struct SwiftFunction {
  struct Parameter {
    /// `_` when it has none.
    let label: String
    let name: String
    let type: String
    let hasDefault: Bool

    /// What it is called in an object of arguments.
    var key: String { label == "_" ? name : label }
    var text: String { "\(key): \(type)" }
  }

  enum Kind {
    case free, ofType, initializer, instance
  }

  let kind: Kind
  /// The types around it, outermost first.
  let types: [String]
  let name: String
  /// `(x:_:)`.
  let labels: String
  let parameters: [Parameter]
  /// Async, or perhaps of an actor of its own.
  let isAwaited: Bool
  let isGeneric: Bool
  let access: String
  /// Absolute; nil for what is private, and for what nobody wrote.
  let file: String?
  let line: Int?

  /// `Point.make`.
  var path: String { (types + [name]).joined(separator: ".") }
  var signature: String { "\(path)\(labels)" }
}

/// The functions of one module.
struct SwiftSymbols {
  private struct Graph: Decodable {
    let symbols: [Symbol]
  }

  private struct Symbol: Decodable {
    struct Kind: Decodable { let identifier: String }
    struct Fragment: Decodable {
      let kind: String
      let spelling: String
    }
    struct Location: Decodable {
      struct Position: Decodable { let line: Int }
      let uri: String
      let position: Position
    }
    struct Generics: Decodable {
      struct Parameter: Decodable { let name: String }
      let parameters: [Parameter]?
    }

    let kind: Kind
    let pathComponents: [String]
    let accessLevel: String
    let location: Location?
    let declarationFragments: [Fragment]
    let swiftGenerics: Generics?
  }

  private static let kinds: [String: SwiftFunction.Kind] = [
    "swift.func": .free, "swift.type.method": .ofType, "swift.init": .initializer,
    "swift.method": .instance,
  ]

  let functions: [SwiftFunction]

  /// - Parameter text: symbol graphs, one a line.
  init(_ text: Data) {
    let decoder = JSONDecoder()
    functions = text.split(separator: UInt8(ascii: "\n")).flatMap { line in
      (try? decoder.decode(Graph.self, from: Data(line)))?.symbols ?? []
    }.compactMap(Self.function)
  }

  func functions(in file: String) -> [SwiftFunction] { functions.filter { $0.file == file } }

  private static func function(_ symbol: Symbol) -> SwiftFunction? {
    guard let kind = kinds[symbol.kind.identifier], let last = symbol.pathComponents.last,
      let paren = last.firstIndex(of: "(")
    else { return nil }
    let fragments = symbol.declarationFragments
    let parameters = Parameters(fragments.map { ($0.kind, $0.spelling) }).list
    return SwiftFunction(
      kind: kind, types: symbol.pathComponents.dropLast(), name: String(last[..<paren]),
      labels: String(last[paren...]), parameters: parameters,
      isAwaited: fragments.contains { fragment in
        switch fragment.kind {
        case "keyword": fragment.spelling == "async"
        case "attribute": !["@", "MainActor"].contains(fragment.spelling)
        default: false
        }
      },
      isGeneric: symbol.swiftGenerics?.parameters?.isEmpty == false, access: symbol.accessLevel,
      file: symbol.location.flatMap { URL(string: $0.uri)?.path(percentEncoded: false) },
      line: symbol.location.map { $0.position.line + 1 })
  }

  /// Reads the parameters from a declaration's words: each begins with its outer name.
  private struct Parameters {
    private(set) var list: [SwiftFunction.Parameter] = []

    init(_ fragments: [(kind: String, spelling: String)]) {
      var label: String?
      var name: String?
      var text = ""
      func parameter() -> SwiftFunction.Parameter? {
        label.map { Self.parameter($0, name ?? $0, text) }
      }
      for (kind, spelling) in fragments {
        switch kind {
        case "externalParam":
          parameter().map { list.append($0) }
          (label, name, text) = (spelling, nil, "")
        case "internalParam" where name == nil: name = spelling
        default: text += spelling
        }
      }
      parameter().map { list.append($0) }
    }

    /// - Parameter text: ` : Int = 2, ` or ` : Int) throws -> Int`.
    private static func parameter(
      _ label: String, _ name: String, _ text: String
    ) -> SwiftFunction.Parameter {
      var depth = 0
      var isText = false
      var type = ""
      var hasDefault = false
      scan: for character in text {
        if character == "\"" { isText.toggle() }
        if !isText {
          switch character {
          case "(", "[", "{": depth += 1
          case ")" where depth == 0, "," where depth == 0: break scan
          case ")", "]", "}": depth -= 1
          case "=" where depth == 0: hasDefault = true
          default: break
          }
        }
        if !hasDefault { type.append(character) }
      }
      let bare = type.trimmingPrefix { " :".contains($0) }
      return SwiftFunction.Parameter(
        label: label, name: name,
        type: String(bare.reversed().drop(while: \.isWhitespace).reversed()),
        hasDefault: hasDefault)
    }
  }
}
