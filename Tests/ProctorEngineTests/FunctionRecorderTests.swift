import FoundationEssentials
import ProctorModel
import ProctorSandbox
import Testing

@testable import ProctorEngine

@Suite struct FunctionRecorderTests {
  private let nonce = String(repeating: "a1", count: 16)

  private func seen(_ records: [String]) -> FunctionRecorder.Seen {
    let recorder = FunctionRecorder(
      project: Project(adapter: AdapterID(rawValue: "pytest"), root: "", evidence: ""), nonce: nonce
    ) { _ in }
    for (index, record) in records.enumerated() {
      recorder.receive(.channel(Data("P1 \(nonce) fn \(index) . \(record)\n".utf8)))
    }
    return recorder.seen
  }

  @Test func `one beginning and one end are believed`() {
    let seen = seen([
      #"{"event":"started"}"#, #"{"event":"progress","iteration":3}"#,
      #"{"event":"returned","value":1}"#,
    ])
    #expect(seen.violation == nil)
    #expect(seen.reached == 3)
    #expect(seen.final?.value == Data("1".utf8))
  }

  @Test(arguments: [#"{"event":"returned","value":1}"#, #"{"event":"started"}"#])
  func `of a flood of records three are kept`(record: String) {
    let seen = seen(Array(repeating: record, count: 1000))
    #expect(seen.records.count == 3)
    #expect(seen.violation != nil)
  }
}
