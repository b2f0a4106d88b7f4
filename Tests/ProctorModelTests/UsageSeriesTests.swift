import ProctorModel
import Testing

struct UsageSeriesTests {
  @Test func `a short command keeps every sample`() {
    var series = UsageSeries()
    let samples = (1...50).map {
      UsageSample(elapsedMS: Double($0), cpuPercent: Double($0), memoryMB: nil)
    }
    samples.forEach { series.append($0) }
    #expect(series.samples == samples)
  }

  @Test func `a long one keeps its peaks in few of them`() {
    var series = UsageSeries()
    for index in 1...100_000 {
      let memory = index == 77_777 ? 5000.0 : 10
      series.append(UsageSample(elapsedMS: Double(index), cpuPercent: 50, memoryMB: memory))
    }
    let samples = series.samples
    #expect((100...UsageSeries.limit + 1).contains(samples.count))
    #expect(samples.compactMap(\.memoryMB).max() == 5000)
    #expect(samples.allSatisfy { $0.cpuPercent == 50 })
    #expect(samples.last?.elapsedMS == 100_000)
    #expect(zip(samples, samples.dropFirst()).allSatisfy { $0.elapsedMS < $1.elapsedMS })
  }
}
