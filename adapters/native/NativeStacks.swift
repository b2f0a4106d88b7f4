import ProctorModel

/// Reads the stacks that the preloaded library prints of a native test program.
enum NativeStacks {
  /// The user's own frames of the thread that runs the test, innermost first.
  /// - Parameter names: what the functions of the test are called, the most telling first.
  static func frames(in output: String, named names: [String], _ context: AdapterContext) -> [Frame]
  {
    guard let start = output.ranges(of: "proctor: stacks\n").last else { return [] }
    var threads: [[(symbol: String, frame: Frame)]] = [[]]
    for line in output[start.upperBound...].split(separator: "\n") {
      if line.hasPrefix("proctor: end of stacks") { break }
      // `function at /path/file.rs:12 (discriminator 3)`, or ` (inlined by) function at ...`
      guard let mark = line.ranges(of: " at ").last else {
        threads.append([])
        continue
      }
      let place = line[mark.upperBound...].prefix { $0 != " " }.split(separator: ":")
      guard place.count == 2, let row = Int(place[1]), place[0].hasPrefix("/") else { continue }
      let file = context.display(String(place[0]))
      guard context.isUserCode(file) else { continue }
      let function = String(line[..<mark.lowerBound].trimmingPrefix(" (inlined by) "))
      // Swift's names are mangled, but what they are made of stands in them.
      let frame = Frame(function: function.hasPrefix("$s") ? nil : function, file: file, line: row)
      threads[threads.count - 1].append((function, frame))
    }
    let found = threads.filter { !$0.isEmpty }
    for name in names where !name.isEmpty {
      if let own = found.first(where: { $0.contains { $0.symbol.contains(name) } }) {
        return own.map(\.frame)
      }
    }
    // Which thread it is cannot be told when several are in the user's code.
    return found.count == 1 ? found[0].map(\.frame) : []
  }
}
