import FoundationEssentials

/// Looks through the lines of TAP.
enum TAPLintReader {
  static func looksLikeTAP(_ data: Data) -> Bool {
    let text = String(decoding: data.prefix(64 << 10), as: UTF8.self)
    return text.unixLines.contains { line in
      line.hasPrefix("TAP version ") || point(line) != nil || line.hasPrefix("1..")
    }
  }

  static func facts(_ data: Data) -> LintFacts {
    var facts = LintFacts()
    facts.bytes = data.count
    facts.hasPlan = false
    var (planned, pending): (Int?, String?) = (nil, nil)
    var diagnostics = ""
    func settle(_ facts: inout LintFacts) {
      if let name = pending, !diagnostics.namesPlace { facts.placeless.add(name) }
      (pending, diagnostics) = (nil, "")
    }
    for line in String(decoding: data, as: UTF8.self).unixLines {
      if let point = point(line) {
        settle(&facts)
        facts.items += 1
        facts.see([point.name], as: point.name)
        if point.name.isEmpty { facts.nameless.add("point \(facts.items)") }
        if point.name.unicodeScalars.count > LintFacts.nameLimit { facts.longNames.add(point.name) }
        if !point.isFine {
          facts.failing.add(point.name)
          pending = point.name
        }
      } else if line.hasPrefix("1.."), planned == nil {
        facts.hasPlan = true
        planned = Int(line.dropFirst(3).prefix { $0.isASCII && $0.isNumber })
      } else if line.hasPrefix("Bail out!") {
        facts.malformed = "it bails out:\(line.dropFirst("Bail out!".count))"
      } else if pending != nil, diagnostics.utf8.count < 1 << 16 {
        diagnostics += line + "\n"
      }
    }
    settle(&facts)
    if let planned, planned != facts.items, facts.malformed == nil {
      facts.malformed = "its plan says \(planned) points and there are \(facts.items)"
    }
    return facts
  }

  private static func point(_ line: String) -> (name: String, isFine: Bool)? {
    let isOK = line.hasPrefix("ok")
    guard isOK || line.hasPrefix("not ok") else { return nil }
    let rest = line.dropFirst(isOK ? 2 : 6)
    guard rest.isEmpty || rest.first == " " else { return nil }
    let parts = rest.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts[0].drop { $0 == " " || $0 == "-" || ($0.isASCII && $0.isNumber) }
    let directive = parts.count > 1 ? parts[1].drop { $0 == " " }.lowercased() : ""
    let isForgiven = directive.hasPrefix("skip") || directive.hasPrefix("todo")
    return (String(name).trimmedBlanks, isOK || isForgiven)
  }
}

extension String {
  fileprivate var trimmedBlanks: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
