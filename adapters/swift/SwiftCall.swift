import FoundationEssentials
import ProctorModel

/// One call of a function of a module, as a line of Swift.
struct SwiftCall {
  /// What the generated file is called.
  static let file = "ProctorCall.swift"

  let function: SwiftFunction
  /// The generated file.
  let source: String
  /// The values given, in the order of the declaration: a JSON array.
  let arguments: String

  private static func isIdentifier(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, first == "_" || first.properties.isXIDStart else {
      return false
    }
    return text.unicodeScalars.allSatisfy(\.properties.isXIDContinue)
  }

  /// - Throws: `FunctionFailure` when there is no such function, or it cannot be called like that.
  init(
    _ call: FunctionCall, module: String, symbols: SwiftSymbols, symbolizer: String
  ) throws(FunctionFailure) {
    let name = try Name(call.function)
    let values = Values(call.arguments)
    let found = try Self.candidates(name, call, symbols)
    let bound = found.map { function in
      Result { () throws(FunctionFailure) in try Self.bound(values, to: function) }
    }
    let fitting = zip(found, bound).compactMap { function, bound in
      (try? bound.get()).map { (function, $0) }
    }
    if fitting.count > 1 {
      throw FunctionFailure(
        .badArguments,
        "\(call.function) may be one of several functions: name one with its labels, if they differ",
        near: found.map { FunctionFailure.Neighbour(name: $0.signature, line: $0.line) })
    }
    guard let (function, given) = fitting.first else {
      if found.count == 1, case .failure(let failure) = bound[0] { throw failure }
      throw FunctionFailure(
        .badArguments, "the arguments fit none of the functions of that name",
        near: found.map { FunctionFailure.Neighbour(name: $0.signature, line: $0.line) })
    }
    if let reason = Self.refusal(function, name) {
      throw FunctionFailure(.badArguments, "\(function.signature) cannot be called: \(reason)")
    }
    self.function = function
    arguments = "[\(given.map(\.text).joined(separator: ","))]"
    source = Self.source(function, name, given.map(\.parameter), module, symbolizer)
  }

  // MARK: the name

  /// `add`, `add(_:b:)`, `Point.make`, `Box<Int>.make`.
  private struct Name {
    let parts: [(name: String, generics: String)]
    let labels: String?

    init(_ text: String) throws(FunctionFailure) {
      let paren = text.firstIndex(of: "(")
      labels = paren.map { String(text[$0...]) }
      var parts: [(name: String, generics: String)] = [("", "")]
      var depth = 0
      for character in text[..<(paren ?? text.endIndex)] {
        if character == "<" { depth += 1 }
        if character == ".", depth == 0 {
          parts.append(("", ""))
        } else if depth > 0 {
          parts[parts.count - 1].generics.append(character)
        } else {
          parts[parts.count - 1].name.append(character)
        }
        if character == ">" { depth -= 1 }
      }
      self.parts = parts
      let isName = parts.allSatisfy { part in
        SwiftCall.isIdentifier(part.name)
          && part.generics.allSatisfy { $0.isLetter || $0.isNumber || "_<>, .[]?:".contains($0) }
      }
      guard isName, labels?.contains("\n") != true else {
        throw FunctionFailure(
          .notFound, "\(text) is no name of a Swift function, such as add, add(_:b:) or Point.make")
      }
    }

    var path: String { parts.map(\.name).joined(separator: ".") }
    var hasGenerics: Bool { parts.contains { !$0.generics.isEmpty } }

    func means(_ function: SwiftFunction) -> Bool {
      function.path == path && (labels == nil || labels == function.labels)
    }
  }

  private static func candidates(
    _ name: Name, _ call: FunctionCall, _ symbols: SwiftSymbols
  ) throws(FunctionFailure) -> [SwiftFunction] {
    let own = symbols.functions(in: call.file)
    let found = own.filter(name.means)
    let callable = found.filter { $0.kind != .instance }
    if !found.isEmpty { return callable.isEmpty ? found : callable }
    // The compiler does not say where private functions are.
    if let hidden = symbols.functions.first(where: {
      $0.access.hasSuffix("private") && name.means($0)
    }) {
      throw FunctionFailure(
        .badArguments,
        "\(hidden.signature) is \(hidden.access): it can be called from its own file only, and a call "
          + "comes from outside; make it internal")
    }
    throw FunctionFailure(
      .notFound, "no function \(call.function) in the file",
      near: own.filter { $0.kind != .initializer }
        .map { FunctionFailure.Neighbour(name: $0.path, line: $0.line) }.nearest(to: name.path))
  }

  private static func refusal(_ function: SwiftFunction, _ name: Name) -> String? {
    if function.kind == .instance {
      return "it is a method of a value; only free functions, static methods and initializers can"
    }
    if function.isGeneric, !name.hasGenerics {
      return function.types.isEmpty
        ? "it is generic, and nothing says for which types"
        : "it or its type is generic: name the type's types, as in \(function.types[0])<Int>"
    }
    if function.access.hasSuffix("private") { return "it is \(function.access)" }
    for parameter in function.parameters {
      if parameter.type.hasPrefix("inout ") { return "\(parameter.key) is inout" }
      if parameter.type.hasSuffix("...") { return "\(parameter.key) takes any number of values" }
      if parameter.type.contains("->") { return "\(parameter.key) is a function" }
    }
    return nil
  }

  // MARK: the arguments

  private enum Values {
    case list([String])
    case named([String: String])

    /// - Parameter text: an array or an object; the engine has looked at it.
    init(_ text: String) {
      guard let json = try? JSONText(text.utf8), json.shape == .object else {
        self = .list(Self.elements(Array(text.utf8)))
        return
      }
      self = .named(
        Dictionary(
          json.members.keys.map { ($0, String(decoding: json.member($0) ?? Data(), as: UTF8.self)) }
        ) { first, _ in first })
    }

    /// The texts between an array's outermost commas.
    private static func elements(_ bytes: [UInt8]) -> [String] {
      var result: [String] = []
      var depth = 0
      var isText = false
      var isEscaped = false
      var start = 0
      func text(_ end: Int) -> String { String(decoding: bytes[start..<end], as: UTF8.self) }
      for (index, byte) in bytes.enumerated() {
        if isText {
          if isEscaped {
            isEscaped = false
          } else if byte == UInt8(ascii: "\\") {
            isEscaped = true
          } else if byte == UInt8(ascii: "\"") {
            isText = false
          }
          continue
        }
        switch byte {
        case UInt8(ascii: "\""): isText = true
        case UInt8(ascii: "["), UInt8(ascii: "{"):
          depth += 1
          if depth == 1 { start = index + 1 }
        case UInt8(ascii: "]"), UInt8(ascii: "}"):
          depth -= 1
          if depth == 0, !result.isEmpty || text(index).contains(where: { !$0.isWhitespace }) {
            result.append(text(index))
          }
        case UInt8(ascii: ",") where depth == 1:
          result.append(text(index))
          start = index + 1
        default: break
        }
      }
      return result
    }
  }

  private typealias Given = (parameter: SwiftFunction.Parameter, text: String)

  private static func bound(
    _ values: Values, to function: SwiftFunction
  ) throws(FunctionFailure) -> [Given] {
    let parameters = function.parameters
    let all =
      "(\(parameters.map { $0.text + ($0.hasDefault ? " = .." : "") }.joined(separator: ", ")))"
    func missing(_ parameter: SwiftFunction.Parameter) -> FunctionFailure {
      FunctionFailure(
        .badArguments,
        "argument \(parameter.key) is missing; expected \(parameter.type); \(function.signature) takes \(all)"
      )
    }
    switch values {
    case .list(let texts):
      guard texts.count <= parameters.count else {
        throw FunctionFailure(
          .badArguments,
          "\(function.signature) takes \(parameters.count) arguments, not \(texts.count): \(all)")
      }
      if let first = parameters.dropFirst(texts.count).first(where: { !$0.hasDefault }) {
        throw missing(first)
      }
      return Array(zip(parameters, texts)).map { ($0, $1) }
    case .named(let texts):
      let keys = parameters.map(\.key)
      if let unknown = texts.keys.sorted().first(where: { !keys.contains($0) }) {
        throw FunctionFailure(
          .badArguments, "there is no argument \(unknown): \(function.signature) takes \(all)")
      }
      var given: [Given] = []
      for parameter in parameters {
        if let text = texts[parameter.key] {
          given.append((parameter, text))
        } else if !parameter.hasDefault {
          throw missing(parameter)
        }
      }
      return given
    }
  }

  // MARK: the file

  /// The types of the arguments are the compiler's to find.
  private static func source(
    _ function: SwiftFunction, _ name: Name, _ given: [SwiftFunction.Parameter], _ module: String,
    _ symbolizer: String
  ) -> String {
    let path = name.parts.map { part in
      (part.name == "init" ? "init" : "`\(part.name)`") + part.generics
    }.joined(separator: ".")
    let values = given.enumerated().map { index, parameter in
      let value = "call.take(\(index), \(quoted(parameter.key)))"
      return parameter.label == "_" ? value : "`\(parameter.label)`: \(value)"
    }.joined(separator: ", ")
    let (how, wait) = function.isAwaited ? ("later", "await ") : ("now", "")
    return """
      import ProctorHarness
      @testable import \(module)
      @_cdecl("proctor_call") public func proctorLibraryEntry() {
        proctorCall(symbolizer: \(quoted(symbolizer))) { call in
          call.\(how)(taking: \(given.count)) { try \(wait)\(path)(\(values)) }
        }
      }

      """
  }

  private static func quoted(_ text: String) -> String {
    "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
  }
}
