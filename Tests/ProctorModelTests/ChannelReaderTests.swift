import FoundationEssentials
import ProctorModel
import Testing

@Suite struct ChannelReaderTests {
  let nonce = String(repeating: "a1", count: 16)

  func frame(_ writer: String, _ sequence: Int, _ flag: String, _ payload: String) -> Data {
    Data("P1 \(nonce) \(writer) \(sequence) \(flag) \(payload)\n".utf8)
  }

  func read(_ data: Data, cut: Int = .max) -> (records: [String], violations: [String]) {
    var reader = ChannelReader(nonce: nonce)
    var records: [String] = []
    var rest = data
    while !rest.isEmpty {
      records += reader.receive(Data(rest.prefix(cut))).map { String(decoding: $0, as: UTF8.self) }
      rest = Data(rest.dropFirst(cut))
    }
    reader.finish()
    return (records, reader.violations + (reader.isCut ? ["cut"] : []))
  }

  @Test(arguments: [1, 7, 64, Int.max])
  func `records are whole however the bytes are cut`(cut: Int) {
    let data =
      frame("1", 0, "+", #"{"a":"#) + frame("2", 0, ".", "{}") + frame("1", 1, ".", #""x y"}"#)
    #expect(read(data, cut: cut).records == ["{}", #"{"a":"x y"}"#])
    #expect(read(data, cut: cut).violations.isEmpty)
  }

  @Test func `a forged line, a wrong nonce, a gap, a repetition and a cut are violations`() {
    let good = frame("1", 0, ".", "{}")
    #expect(read(good + Data("{}\n".utf8)).violations.count == 1)
    let forged = Data("P1 \(String(repeating: "0", count: 32)) 1 1 . {}\n".utf8)
    #expect(read(good + forged).violations.count == 1)
    #expect(read(good + forged).records == ["{}"])
    #expect(read(good + frame("1", 2, ".", "{}")).violations.count == 1)
    #expect(read(good + good).violations.count == 1)
    #expect(read(good + frame("1", 1, "+", "{")).violations.count == 1)
    #expect(read(good + Data("P1 \(nonce) 1 1 . {".utf8)).violations.count == 1)
  }

  @Test func `records that are begun and never ended are refused in bounded memory`() {
    let payload = String(repeating: "x", count: 1000)
    var reader = ChannelReader(nonce: nonce, room: 10_000)
    for sequence in 0..<2 {
      for writer in 0..<5 { _ = reader.receive(frame("\(writer)", sequence, "+", payload)) }
    }
    #expect(reader.violations.isEmpty)
    _ = reader.receive(frame("5", 0, "+", payload))
    #expect(reader.violations == ["more records on the report channel were begun than can be kept"])
  }

  @Test func `what has ended leaves room for others`() {
    let payload = String(repeating: "x", count: 1000)
    var reader = ChannelReader(nonce: nonce, room: 10_000)
    var records: [Data] = []
    for sequence in 0..<300 {
      let flag = sequence % 4 == 3 ? "." : "+"
      for writer in 0..<3 { records += reader.receive(frame("\(writer)", sequence, flag, payload)) }
    }
    #expect(records.count == 225)
    #expect(records.allSatisfy { $0.count == 4000 })
    #expect(reader.violations.isEmpty)
  }

  @Test func `writers are counted`() {
    var reader = ChannelReader(nonce: nonce)
    for writer in 0...ChannelFrame.maximumWriters {
      _ = reader.receive(frame("\(writer)", 0, ".", "{}"))
    }
    #expect(reader.violations.count == 1)
    #expect(read(frame(String(repeating: "w", count: 33), 0, ".", "{}")).violations.count == 1)
    #expect(read(frame(String(repeating: "w", count: 32), 0, ".", "{}")).violations.isEmpty)
  }

  @Test func `a line without end is refused in bounded memory`() {
    let (records, violations) = read(Data(repeating: 65, count: 1 << 20), cut: 65536)
    #expect(records.isEmpty)
    #expect(violations.contains { $0.contains("longer than a frame") })
  }
}
