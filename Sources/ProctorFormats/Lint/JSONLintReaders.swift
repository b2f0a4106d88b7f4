import FoundationEssentials
import ProctorModel

/// A list in which what has another shape is nil and costs nothing else.
private struct LenientList<Item: Decodable>: Decodable {
  private struct Slot: Decodable {
    let item: Item?

    init(from decoder: any Decoder) throws { item = try? Item(from: decoder) }
  }

  let items: [Item?]

  init(from decoder: any Decoder) throws { items = try [Slot](from: decoder).map(\.item) }
}

enum CTRFLintReader {
  private struct Document: Decodable {
    struct Results: Decodable { let tests: LenientList<Test> }

    let results: Results
  }

  private struct Test: Decodable {
    let name: String?
    let status: String?
    let suite: [String]?
    let filePath: String?
    let line: Int?
    let message: String?
    let trace: String?
  }

  static func facts(_ data: Data) -> LintFacts {
    var facts = LintFacts()
    facts.bytes = data.count
    guard let document = try? JSONDecoder().decode(Document.self, from: JSONText.repaired(data))
    else {
      facts.malformed = "it lacks results.tests, or is not JSON to its end"
      return facts
    }
    for test in document.results.tests.items {
      facts.items += 1
      guard let test, let name = test.name, !name.isEmpty, let status = test.status else {
        facts.incomplete.add("test \(facts.items)")
        continue
      }
      facts.see((test.suite ?? []) + [test.filePath ?? "", name], as: name)
      if name.unicodeScalars.count > LintFacts.nameLimit { facts.longNames.add(name) }
      guard status == "failed" else { continue }
      facts.failing.add(name)
      let hasPlace = test.filePath != nil && test.line != nil
      if !hasPlace, test.message?.namesPlace != true, test.trace?.namesPlace != true {
        facts.placeless.add(name)
      }
    }
    return facts
  }
}

enum SARIFLintReader {
  private struct Document: Decodable {
    struct Run: Decodable { let results: LenientList<Result>? }

    let runs: [Run]
  }

  private struct Result: Decodable {
    struct Location: Decodable {
      struct Physical: Decodable {
        struct Artifact: Decodable { let uri: String? }
        struct Region: Decodable { let startLine: Int? }

        let artifactLocation: Artifact?
        let region: Region?
      }

      let physicalLocation: Physical?
    }

    struct Message: Decodable { let text: String? }

    let ruleId: String?
    let message: Message
    let locations: [Location]?
  }

  static func facts(_ data: Data) -> LintFacts {
    var facts = LintFacts()
    facts.bytes = data.count
    guard let document = try? JSONDecoder().decode(Document.self, from: JSONText.repaired(data))
    else {
      facts.malformed = "it lacks runs, or is not JSON to its end"
      return facts
    }
    facts.runs = document.runs.count
    for run in document.runs {
      let results = run.results?.items ?? []
      facts.items += results.count
      facts.fullestRun = max(facts.fullestRun, results.count)
      for result in results {
        guard let result else {
          facts.incomplete.add("a result without a message")
          continue
        }
        let place = result.locations?.first?.physicalLocation
        if place?.artifactLocation?.uri == nil || place?.region?.startLine == nil {
          facts.placeless.add(result.message.text ?? result.ruleId ?? "")
        }
      }
    }
    return facts
  }
}

enum CodeQualityLintReader {
  private struct Entry: Decodable {
    struct Location: Decodable {
      struct Lines: Decodable { let begin: Int }
      struct Positions: Decodable {
        struct Position: Decodable { let line: Int }

        let begin: Position
      }

      let path: String
      let lines: Lines?
      let positions: Positions?
    }

    let description: String
    let fingerprint: String
    let severity: String?
    let location: Location

    var isComplete: Bool {
      !description.isEmpty && !fingerprint.isEmpty && !location.path.isEmpty
        && (location.lines != nil || location.positions != nil)
        && ["info", "minor", "major", "critical", "blocker"].contains(severity ?? "info")
    }
  }

  static func facts(_ data: Data) -> LintFacts {
    var facts = LintFacts()
    facts.bytes = data.count
    guard
      let list = try? JSONDecoder().decode(LenientList<Entry>.self, from: JSONText.repaired(data))
    else {
      facts.malformed = "it is no list, or not JSON to its end"
      return facts
    }
    for entry in list.items {
      facts.items += 1
      guard let entry, entry.isComplete else {
        facts.incomplete.add("entry \(facts.items)")
        continue
      }
      facts.see([entry.fingerprint], as: entry.description)
    }
    return facts
  }
}
