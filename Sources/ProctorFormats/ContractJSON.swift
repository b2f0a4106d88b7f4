public import FoundationEssentials
public import ProctorModel

/// Reports in the contract's JSON: UTF-8, keys sorted, a line end at the end.
public enum ContractJSON {
  /// The answer of `run_all_tests`.
  /// - Parameter details: also every test, not only the failed ones.
  public static func runAllTests(_ report: Report, details: Bool) -> Data {
    encode(Joined(RunAllAnswer(report, details: details), RerunAnswer(report)))
  }

  /// A page of the answer of `run_all_tests`: all of it, but of the tests those that fit, with their failures.
  /// - Parameters:
  ///   - offset: of the first test.
  ///   - bytes: of the page, roughly; one test is always on it.
  public static func runAllTests(_ report: Report, from offset: Int, bytes: Int) -> Data {
    let first = min(offset, report.tests.count)
    var (end, room) = (first, bytes)
    while end < report.tests.count, room > 0 {
      room -= report.tests[end].bytes
      end += 1
    }
    let tests = report.tests[first..<end]
    var answer = RunAllAnswer(report, details: false)
    answer.tests = tests.map(TestRow.init)
    answer.failures = tests.filter { $0.outcome.countsAsFailed }.map(FailureAnswer.init)
    answer.next_offset = end < report.tests.count ? end : nil
    return encode(Joined(answer, RerunAnswer(report)))
  }

  /// The answer of `run_test`.
  public static func runTest(_ report: Report) -> Data {
    encode(Joined(RunTestAnswer(report), RerunAnswer(report)))
  }

  /// The answer of `list_tests`.
  public static func list(_ listing: Listing) -> Data { encode(ListAnswer(listing)) }

  /// The answer of `sandbox_status`.
  public static func status(_ status: StatusAnswer) -> Data { encode(status) }

  /// The answer of `proctor selftest`.
  public static func selfTest(_ answer: SelfTestAnswer) -> Data { encode(answer) }

  /// The answer of `verify_patch`.
  public static func check(_ answer: CheckAnswer) -> Data { encode(CheckAnswerShape(answer)) }

  /// The answer of `proctor compare`.
  public static func compare(_ comparison: Comparison) -> Data {
    encode(ComparisonAnswer(comparison))
  }

  /// The answer of `execute_function`.
  public static func function(_ answer: FunctionAnswer) -> Data {
    encode(FunctionAnswerShape(answer), with: answer.result)
  }

  /// The answer of `execute_code`.
  public static func code(_ answer: CodeAnswer) -> Data {
    encode(CodeAnswerShape(answer), with: answer.call.result)
  }

  private static func encode(_ shape: some Encodable, with result: Data?) -> Data {
    let encoded = encode(shape)
    guard let result, let mark = encoded.firstRange(of: FunctionAnswerShape.mark)
    else { return encoded }
    // Numbers of any size stay as they were written.
    return encoded[..<mark.lowerBound] + result + encoded[mark.upperBound...]
  }

  /// The answer of `validate_code`.
  public static func validation(_ answer: ValidationAnswer) -> Data {
    encode(ValidationAnswerShape(answer))
  }

  /// The answer of `validate_code` where nothing was judged.
  public static func validation(failure message: String) -> Data {
    encode(ValidationFailureShape(message: message))
  }

  static func encode(_ value: some Encodable) -> Data {
    encode(value, [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]) + Data("\n".utf8)
  }

  /// For machines only: one line, without an end of line.
  static func compact(_ value: some Encodable) -> Data { encode(value, [.withoutEscapingSlashes]) }

  private static func encode(
    _ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting
  ) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return (try? encoder.encode(value)) ?? Data(#"{"status": "error"}"#.utf8)
  }
}
