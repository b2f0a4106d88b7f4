import Foundation
import ProctorFormats
import ProctorModel

/// Counts what a decoder hands over.
private final class Count: CaseSink {
  let wantsPassed: Bool
  var cases = 0
  var failed = 0
  var prints: [UInt64] = []

  init(wantsPassed: Bool) { self.wantsPassed = wantsPassed }

  func take(_ found: ReportedCase) {
    cases += 1
    if found.outcome.rawValue != "passed", found.outcome.rawValue != "skipped" { failed += 1 }
    prints.append(found.fingerprint)
    precondition(!found.name.isEmpty && !found.attempts.isEmpty, "a case without a name")
  }

  func pass(fingerprint: UInt64, durationMS: Double?) {
    cases += 1
    prints.append(fingerprint)
    precondition(durationMS.map { $0.isFinite && $0 >= 0 } ?? true, "a duration of no clock")
  }
}

private let format: ReportFormat = {
  let name = ProcessInfo.processInfo.environment["PROCTOR_FUZZ"] ?? ""
  guard let found = ReportFormat.all.first(where: { $0.id == name }) else {
    print("PROCTOR_FUZZ names none of \(ReportFormat.all.map(\.id).joined(separator: " "))")
    exit(2)
  }
  return found
}()

/// Whatever the bytes: no crash, the same from pieces as from one, counted as handed over.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let data = start.map { Data(bytes: $0, count: count) } ?? Data()
  _ = ReportSniffer.look(at: data)
  let whole = Count(wantsPassed: true)
  let reading = format.decode([data], into: whole)
  precondition(reading.cases == whole.cases, "cases are lost")
  precondition(reading.isComplete || !reading.notes.isEmpty, "not whole, and nothing said")
  let counted = Count(wantsPassed: false)
  let again = format.decode([data], into: counted)
  precondition(again == reading && counted.prints == whole.prints, "counting differs")
  let size = max(1, count / 3)
  let pieces = stride(from: 0, to: count, by: size).map {
    data.subdata(in: $0..<min($0 + size, count))
  }
  let cut = Count(wantsPassed: true)
  precondition(format.decode(pieces, into: cut) == reading, "pieces differ")
  precondition(cut.prints == whole.prints, "cases of pieces differ")
  return 0
}
