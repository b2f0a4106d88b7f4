import ProctorModel
import TOMLKit

extension ConfigurationReader {
  private static let gateKeys = [
    "block_new_failures", "block_known_failures", "block_removed", "block_newly_skipped",
    "block_weakened", "block_fewer_tests", "allow_removed", "allow_skipped", "flaky", "min_tests",
    "max_slowdown_percent",
  ]

  /// `[gate]`.
  func gate(_ table: TOMLTable) throws(EngineError) -> GatePolicy {
    var result = GatePolicy()
    let at = ["gate"]
    for (key, value) in table {
      switch key {
      case "block_new_failures": result.blocksNewFailures = try bool(value, key, at)
      case "block_known_failures": result.blocksKnownFailures = try bool(value, key, at)
      case "block_removed": result.blocksRemoved = try bool(value, key, at)
      case "block_newly_skipped": result.blocksNewlySkipped = try bool(value, key, at)
      case "block_weakened": result.blocksWeakened = try bool(value, key, at)
      case "block_fewer_tests": result.blocksFewerTests = try bool(value, key, at)
      case "allow_removed": result.allowRemoved = try allowed(value, key, at)
      case "allow_skipped": result.allowSkipped = try allowed(value, key, at)
      case "flaky":
        guard let flaky = value.string.flatMap(GatePolicy.Flaky.init) else {
          throw wrong(key, at, "\"fail\", \"warn\" or \"pass\"")
        }
        result.flaky = flaky
      case "min_tests": result.minTests = try integer(value, key, at, 1...100_000_000)
      case "max_slowdown_percent":
        result.maxSlowdownPercent = Double(try integer(value, key, at, 1...100_000))
      default: throw unknown(key, in: at, known: Self.gateKeys)
      }
    }
    return result
  }

  /// Ids, which begin with a runner's name, and regular expressions.
  private func allowed(
    _ value: any TOMLValueConvertible, _ key: String, _ at: [String]
  ) throws(EngineError) -> [GatePolicy.Allowed] {
    var result: [GatePolicy.Allowed] = []
    for text in try strings(value, key, at) {
      // It would match every test.
      guard !text.isEmpty else {
        throw wrong(key, at, "a list of ids and regular expressions, none of them empty")
      }
      if let runner = text.split(separator: ":").first, adapters.contains(String(runner)),
        TestID(text: text).parts != nil
      {
        result.append(.id(TestID(text: text)))
        continue
      }
      do throws(EngineError) {
        _ = try Pattern(text)
      } catch {
        throw wrong(key, at, "a list of ids and regular expressions: \(error.message)")
      }
      result.append(.pattern(text))
    }
    return result
  }
}
