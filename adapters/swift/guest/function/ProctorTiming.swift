// Times many calls of one function; proctor_host.py has the same, with reasons.

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

// MARK: arguments

/// Thrown when all arguments of a call are known, in place of making it.
struct ProctorTaken: Error {}

/// One argument, for as many calls as are made without a pause.
protocol ProctorPrepared {
  var address: UnsafeMutableRawPointer { get }
  func fill(_ count: Int) throws
}

/// A value that can be had again without its JSON. What a call could find changed, or shared, is not.
protocol ProctorCopied {
  static var proctorIsCopied: Bool { get }
  /// Shares no storage, so that changing it costs what it costs the only owner.
  var proctorCopy: Self { get }
}

private func isCopied<T>(_ type: T.Type) -> Bool {
  _isPOD(type) || type == String.self
    || (type as? any ProctorCopied.Type)?.proctorIsCopied == true
}

private func copied<T>(_ value: T) -> T {
  _isPOD(T.self) ? value : (value as? any ProctorCopied)?.proctorCopy as! T? ?? value
}

extension Optional: ProctorCopied {
  static var proctorIsCopied: Bool { isCopied(Wrapped.self) }
  var proctorCopy: Self { map(copied) }
}

extension Array: ProctorCopied {
  static var proctorIsCopied: Bool { isCopied(Element.self) }
  var proctorCopy: Self {
    guard _isPOD(Element.self) else { return map(copied) }
    return withUnsafeBufferPointer { old in
      Array(unsafeUninitializedCapacity: old.count) { new, count in
        count = new.initialize(fromContentsOf: old)
      }
    }
  }
}

extension Dictionary: ProctorCopied {
  static var proctorIsCopied: Bool { isCopied(Key.self) && isCopied(Value.self) }
  var proctorCopy: Self { mapValues(copied) }
}

extension Set: ProctorCopied {
  static var proctorIsCopied: Bool { isCopied(Element.self) }
  var proctorCopy: Self {
    var copy = self
    copy.reserveCapacity(count) // makes it the only owner
    return copy
  }
}

final class ProctorArgument<T>: ProctorPrepared {
  private let make: () throws -> T
  private var values = UnsafeMutablePointer<T>.allocate(capacity: 1)
  private var capacity = 1

  init(_ value: T, _ decode: @escaping () throws -> T) {
    make = isCopied(T.self) ? { copied(value) } : decode
  }

  var address: UnsafeMutableRawPointer { UnsafeMutableRawPointer(values) }

  /// Nothing is left of the fill before: calls take what they are given.
  func fill(_ count: Int) throws {
    if count > capacity {
      values.deallocate()
      (values, capacity) = (.allocate(capacity: count), count)
    }
    for index in 0..<count { (values + index).initialize(to: try make()) }
  }
}

// MARK: calls

/// Calls that are made without a pause.
@usableFromInline final class ProctorBatch {
  @usableFromInline var isRunning = false
  /// Of the first call's arguments.
  @usableFromInline var addresses: UnsafeMutablePointer<UnsafeMutableRawPointer>
  /// Those that ended before, and those of this batch; where a trap looks, too.
  @usableFromInline let calls: UnsafeMutablePointer<Int>
  /// Arguments that are not known yet.
  var missing = 0
  private var arguments: [any ProctorPrepared] = []

  init() {
    addresses = .allocate(capacity: 1)
    calls = .allocate(capacity: 2)
    calls.initialize(repeating: 0, count: 2)
  }

  func keep(_ argument: any ProctorPrepared) throws {
    arguments.append(argument)
    missing -= 1
    guard missing == 0 else { return }
    addresses.deallocate()
    addresses = .allocate(capacity: arguments.count)
    throw ProctorTaken()
  }

  private func begin(_ size: Int) throws {
    for (index, argument) in arguments.enumerated() {
      try argument.fill(size)
      (addresses + index).initialize(to: argument.address)
    }
    calls[1] = 0
    isRunning = true
  }

  private func end(_ size: Int, _ start: ContinuousClock.Instant) -> Double {
    let spent = ContinuousClock.now - start
    isRunning = false
    (calls[0], calls[1]) = (calls[0] + size, 0)
    return spent.proctorNanoseconds
  }

  /// Makes so many calls; nanoseconds.
  @MainActor func time<R>(
    _ function: @escaping @MainActor () throws -> R
  ) -> @MainActor (Int) async throws -> Double {
    { try self.make($0, function) }
  }

  @MainActor private func make<R>(_ size: Int, _ function: @MainActor () throws -> R) throws -> Double {
    try begin(size)
    let start = ContinuousClock.now
    for index in 0..<size {
      calls[1] = index
      proctorKeep(try function())
    }
    return end(size, start)
  }

  @MainActor func time<R>(
    _ function: @escaping @MainActor () async throws -> R
  ) -> @MainActor (Int) async throws -> Double {
    { size in
      try self.begin(size)
      let start = ContinuousClock.now
      for index in 0..<size {
        self.calls[1] = index
        proctorKeep(try await function())
      }
      return self.end(size, start)
    }
  }
}

/// Whoever calls it does not know what it does with the value, and must make it.
@inline(never) @_optimize(none) func proctorKeep<T>(_ value: T) {}

extension Duration {
  fileprivate var proctorNanoseconds: Double {
    Double(components.seconds) * 1e9 + Double(components.attoseconds) / 1e9
  }
}

// MARK: the measurement

struct ProctorTiming {
  struct Wanted: Decodable {
    let iterations: Int?
    let samples: Int
    let wall_ms: Int
    let processor_ms: Int
  }

  private static let warmCalls = 1e7 // nanoseconds
  private static let warmShare = 5.0
  private static let clockShare = 100.0
  private static let fewestSamples = 20
  private static let mostSamples = 100_000
  private static let mostArguments = 4 << 20 // bytes of JSON
  private static let mostMaking = 1e8 // nanoseconds, of the arguments of one batch
  private static let tick = 1e8 // nanoseconds; processor time is counted in steps
  private static let progress = Duration.milliseconds(50)

  private struct Spent {
    var wall: Double
    var processor: Double
  }

  private let wanted: Wanted
  private let start = ContinuousClock.now
  private let largest: Int
  private var budget: Spent {
    Spent(wall: Double(wanted.wall_ms) * 1e6, processor: Double(wanted.processor_ms) * 1e6)
  }
  private var spent: Spent {
    Spent(
      wall: (ContinuousClock.now - start).proctorNanoseconds,
      processor: Double(proctorProcessorMilliseconds()) * 1e6)
  }

  /// - Parameter length: bytes of the request.
  init(_ wanted: Wanted, length: Int) {
    self.wanted = wanted
    largest = max(1, Self.mostArguments / max(1, length))
  }

  /// The final record.
  @MainActor func measure(
    _ batch: ProctorBatch, _ run: @MainActor (Int) async throws -> Double
  ) async throws -> String {
    let began = spent
    func fits(_ expected: Double, _ budget: Spent) -> Bool {
      let now = spent
      let share = (now.processor - began.processor) / max(Self.tick, now.wall - began.wall)
      return now.wall + expected < budget.wall
        && now.processor + expected * share < budget.processor
    }
    var told = ContinuousClock.now
    func tell() {
      guard ContinuousClock.now - told > Self.progress else { return }
      told = .now
      proctorFinish(#"{"event":"progress","iteration":\#(batch.calls[0] + 1)}"#)
    }
    // What a call takes that is not in its time: making arguments.
    var making = 0.0
    func timed(_ size: Int) async throws -> Double {
      let before = ContinuousClock.now
      let nanoseconds = try await run(size)
      let all = (ContinuousClock.now - before).proctorNanoseconds
      if size > 0 { making = (all - nanoseconds) / Double(size) }
      return nanoseconds
    }
    func size(_ count: Double) -> Int {
      max(1, min(largest, Int(min(count, Self.mostMaking / max(1, making)))))
    }

    let first = try await timed(1)
    making = 0 // what is done once is in the first
    var clocks: [Double] = []
    for _ in 0..<31 { clocks.append(try await run(0)) }
    let clock = clocks.sorted()[15]
    let now = spent
    let warmBudget = Spent(
      wall: now.wall + (budget.wall - now.wall) / Self.warmShare,
      processor: now.processor + (budget.processor - now.processor) / Self.warmShare)
    var each = max(first, 1)
    var (warmup, isWarm, last) = (1, false, [Double]())
    while !isWarm {
      let count = size(Self.warmCalls / each)
      guard fits((each + making) * Double(count), warmBudget) else { break }
      each = max(try await timed(count) / Double(count), 0.001)
      warmup += count
      last = (last + [each]).suffix(3)
      isWarm = last.count == 3 && last.max()! <= 1.05 * last.min()!
      tell()
    }
    var perBatch = size(Self.clockShare * clock / each + 1)
    var left = wanted.samples * perBatch
    if let iterations = wanted.iterations {
      left = iterations
      perBatch = max(1, min(perBatch, left / Self.fewestSamples), left / Self.mostSamples)
      let count = max(1, left / perBatch)
      perBatch = (left + count - 1) / count
    }
    var (times, calls, worst) = ([Double](), 0, each * Double(perBatch))
    while calls < left, fits(worst + making * Double(perBatch), budget) {
      let count = min(perBatch, left - calls)
      times.append(try await timed(count))
      calls += count
      worst = max(worst, times[times.count - 1])
      tell()
    }
    if times.isEmpty {
      (times, calls, perBatch, warmup) = ([first], 1, 1, warmup - 1)
    }
    return #"{"event":"measured","measurement":{"batch_size":\#(perBatch),"calls":\#(calls),"#
      + #""warmup_calls":\#(warmup),"warm":\#(isWarm),"clock_ns":\#(clock),"gc":"none","#
      + #""batches":[\#(times.map { "\($0)" }.joined(separator: ","))]}}"#
  }
}
