import FoundationEssentials
import ProctorModel

struct FunctionAnswerShape: Encodable {
  /// Stands for the result, whose text is put in its place. Of the keys before it in order none holds text of the
  /// user's with a zero in it when there is a result.
  static let mark = Data(#""\u0000result""#.utf8)

  enum Status: String, Encodable { case success, error }

  let status: Status
  let result: String?
  let result_form: String?
  let truncated: Bool?
  let error_type: FunctionFailure.Kind?
  let message: String?
  let file: String?
  let line: Int?
  let suggestions: [FunctionFailure.Neighbour]?
  let execution_time_ms: Double
  let peak_memory_mb: Double?
  let stdout: String
  let stderr: String
  let stdout_omitted: Int?
  let stderr_omitted: Int?
  let sandbox: SandboxReceipt?

  init(_ answer: FunctionAnswer) {
    status = answer.failure == nil ? .success : .error
    result = answer.result.map { _ in "\u{0}result" }
    result_form = answer.form
    truncated = answer.isTruncated ? true : nil
    error_type = answer.failure?.kind
    message = answer.failure?.message
    file = answer.failure?.location?.file
    line = answer.failure?.location?.line
    suggestions = answer.failure?.near.nonEmpty
    execution_time_ms = answer.executionTimeMS.rounded3
    peak_memory_mb = answer.peakMemoryMB?.rounded3
    stdout = answer.stdout.text
    stderr = answer.stderr.text
    stdout_omitted = answer.stdout.omittedCount
    stderr_omitted = answer.stderr.omittedCount
    sandbox = answer.sandbox
  }
}
