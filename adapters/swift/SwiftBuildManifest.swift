import FoundationEssentials

/// What the package manager hands to its build tool: all commands, with their inputs and outputs.
///
/// It is YAML of which only the shape that the package manager writes is read: a key of two blanks for
/// each command, and lists in JSON's form.
struct SwiftBuildManifest {
  struct Command {
    var inputs: [String] = []
    var outputs: [String] = []
    var arguments: [String] = []
  }

  private(set) var commands: [String: Command] = [:]

  init(_ text: Data) {
    var isCommands = false
    var name: String?
    for line in String(decoding: text, as: UTF8.self).utf8.split(separator: UInt8(ascii: "\n")) {
      let line = Substring(line)
      if !line.hasPrefix(" ") {
        isCommands = line == "commands:"
      } else if isCommands, line.hasPrefix("  \""), line.hasSuffix("\":") {
        name = String(line.dropFirst(3).dropLast(2))
      } else if isCommands, let name, line.hasPrefix("    ") {
        let parts = line.dropFirst(4).split(separator: ": ", maxSplits: 1)
        guard parts.count == 2,
          let list = try? JSONDecoder().decode([String].self, from: Data(parts[1].utf8))
        else { continue }
        switch parts[0] {
        case "inputs": commands[name, default: Command()].inputs = list
        case "outputs": commands[name, default: Command()].outputs = list
        case "args": commands[name, default: Command()].arguments = list
        default: break
        }
      }
    }
  }

  /// The source files of all targets of all packages.
  var sources: [String] {
    commands.values.flatMap(\.inputs).filter { path in
      [".swift", ".c", ".cc", ".cpp", ".cxx", ".m", ".mm", ".s", ".S"].contains(
        where: path.hasSuffix)
    }
  }

  /// The command that compiles a Swift module; not the one that compiles it a second time, for plugins.
  func compilation(of module: String) -> Command? {
    commands.first { name, command in
      name.hasPrefix("C.") && name.hasSuffix(".module") && !name.hasSuffix("-tool.module")
        && Self.value(after: "-module-name", in: command.arguments) == module
    }?.value
  }

  /// The objects and dynamic libraries of a module and of all it is made with.
  func objects(of command: Command) -> [String] {
    var makers: [String: Command] = [:]
    for command in commands.values {
      for output in command.outputs where output.hasSuffix(".swiftmodule") {
        makers[output] = command
      }
    }
    var result: [String] = []
    var seen: Set<String> = []
    var pending = [command]
    func add(_ path: String) { if seen.insert(path).inserted { result.append(path) } }
    while let command = pending.popLast() {
      for path in command.outputs where path.hasSuffix(".o") { add(path) }
      for path in command.inputs {
        if path.hasSuffix(".o") || path.hasSuffix(".so") || path.hasSuffix(".a") {
          add(path)
        } else if let maker = makers[path], seen.insert(path).inserted {
          pending.append(maker)
        }
      }
    }
    return result
  }

  /// The objects that the compiler of C makes for one target.
  func objects(ofTarget name: String) -> [String] {
    commands.values.flatMap(\.outputs).filter {
      $0.hasSuffix(".o") && $0.contains("/\(name).build/")
    }.sorted()
  }

  /// What a compiler needs to import a module, of the words that compiled it.
  static func imports(_ command: Command) -> [String] {
    pairs(
      command.arguments,
      of: ["-I", "-F", "-target", "-sdk", "-Xcc", "-module-cache-path", "-package-name"]
    ) { $0.hasPrefix("-cxx-interoperability-mode=") || $0.hasPrefix("-sanitize=") }
  }

  /// The libraries that a product with all of the objects is linked with.
  func linking(_ objects: [String]) -> [String] {
    let own = Set(objects)
    let links = commands.values.filter {
      ($0.arguments.contains("-emit-executable") || $0.arguments.contains("-emit-library"))
        && own.isSubset(of: $0.inputs)
    }
    let isCPlusPlus = objects.contains { path in
      [".cpp.o", ".cc.o", ".cxx.o", ".mm.o"].contains(where: path.hasSuffix)
    }
    guard let link = links.min(by: { $0.inputs.count < $1.inputs.count }) else {
      return isCPlusPlus ? ["-lstdc++"] : []
    }
    let words = Self.pairs(link.arguments, of: ["-L", "-F", "-framework", "-Xlinker"]) {
      $0.hasPrefix("-l") || $0.hasPrefix("-sanitize=") || $0.hasPrefix("-use-ld=")
    }
    // The program's own beginning is not called, and the library lies elsewhere.
    var kept: [String] = []
    for (word, next) in zip(words, words.dropFirst() + [""]) {
      if word.hasPrefix("main=") || word == "--defsym" || word.hasPrefix("-rpath=") { continue }
      if word == "-Xlinker",
        next.hasPrefix("main=") || next == "--defsym" || next.hasPrefix("-rpath=")
      {
        continue
      }
      kept.append(word)
    }
    return kept
  }

  private static func pairs(
    _ arguments: [String], of options: Set<String>, and isWanted: (String) -> Bool
  ) -> [String] {
    var result: [String] = []
    var index = 0
    while index < arguments.count {
      let word = arguments[index]
      if options.contains(word), index + 1 < arguments.count {
        result += [word, arguments[index + 1]]
        index += 1
      } else if isWanted(word) {
        result.append(word)
      }
      index += 1
    }
    return result
  }

  private static func value(after option: String, in arguments: [String]) -> String? {
    arguments.firstIndex(of: option).flatMap {
      arguments.indices.contains($0 + 1) ? arguments[$0 + 1] : nil
    }
  }
}
