// Calls one function with arguments from JSON and reports its result as JSON. A module of its own, compiled
// once for each toolchain; a generated file calls `proctorCall`, and function_host.c loads both in one library.

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

// MARK: the border with the host

@_silgen_name("proctor_guest_request_size") func proctorRequestSize() -> Int
@_silgen_name("proctor_guest_request_read") func proctorRequestRead(_ to: UnsafeMutableRawPointer)
@_silgen_name("proctor_guest_send") func proctorSend(_ record: UnsafePointer<UInt8>, _ size: Int)
@_silgen_name("proctor_guest_line_buffered") func proctorLineBuffered()
@_silgen_name("proctor_guest_watch_traps")
func proctorWatchTraps(_ root: UnsafePointer<CChar>, _ symbolizer: UnsafePointer<CChar>)
@_silgen_name("proctor_guest_count") func proctorCount(_ calls: UnsafePointer<Int>)
@_silgen_name("proctor_guest_processor_milliseconds") func proctorProcessorMilliseconds() -> Int
@_silgen_name("swift_task_asyncMainDrainQueue") func proctorDrainMainQueue() -> Never
@_silgen_name("exit") func proctorExit(_ code: Int32) -> Never

/// - Parameter function: makes the call with `now` or `later`.
public func proctorCall(symbolizer: String, _ function: @MainActor (ProctorCall) -> Void) {
  proctorLineBuffered()
  let size = proctorRequestSize()
  let bytes = UnsafeMutableRawPointer.allocate(byteCount: max(size, 1), alignment: 1)
  proctorRequestRead(bytes)
  let request = Data(bytes: bytes, count: size)
  bytes.deallocate()
  guard let limits = try? JSONDecoder().decode(ProctorLimits.self, from: request) else {
    return proctorFinish(#"{"event":"bad_arguments","message":"the request cannot be read"}"#)
  }
  proctorWatchTraps(limits.root, symbolizer)
  MainActor.assumeIsolated { function(ProctorCall(request: request, limits: limits)) }
}

func proctorFinish(_ record: String) {
  var record = record
  record.withUTF8 { proctorSend($0.baseAddress!, $0.count) }
}

func proctorQuoted(_ text: String) -> String {
  (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? #""""#
}

struct ProctorLimits: Decodable {
  let root: String
  let output_limit: Int
  let items: Int
  let timing: ProctorTiming.Wanted?
}

// MARK: the call

struct ProctorBadArgument: Error {
  let name: String
  let expected: String
  let message: String
}

public final class ProctorCall {
  let request: Data
  let limits: ProctorLimits
  private var began = ContinuousClock.now
  /// nil for a single call.
  let timing: ProctorTiming?
  /// The arguments of a batch of calls, in order, and which of the calls is being made.
  @usableFromInline let batch: ProctorBatch

  init(request: Data, limits: ProctorLimits) {
    self.request = request
    self.limits = limits
    timing = limits.timing.map { ProctorTiming($0, length: request.count) }
    batch = ProctorBatch()
  }

  /// - Parameter count: of the arguments that the function takes from here.
  @inline(never) @MainActor public func now<R>(
    taking count: Int, _ function: @escaping @MainActor () throws -> R
  ) {
    if timing != nil {
      let time = batch.time(function)
      // Nothing waits in it, so that it goes to its end here: on the main thread and its stack, as a single call.
      #if compiler(>=6.2)
        Task.immediate { @MainActor in
          proctorFinish(await self.measured(taking: count, function, time))
        }
        return
      #else
        served { await self.measured(taking: count, function, time) }
      #endif
    }
    start()
    do { proctorFinish(returned(try function())) } catch { proctorFinish(raised(error)) }
  }

  @inline(never) @MainActor public func later<R>(
    taking count: Int, _ function: @escaping @MainActor () async throws -> R
  ) {
    served {
      if self.timing != nil {
        return await self.measured(taking: count, function, self.batch.time(function))
      }
      self.start()
      do { return self.returned(try await function()) } catch { return self.raised(error) }
    }
  }

  /// The main thread serves the main actor meanwhile, as that of a program would.
  @MainActor private func served(_ record: @escaping @MainActor () async -> String) -> Never {
    Task { @MainActor in
      proctorFinish(await record())
      proctorExit(0)
    }
    proctorDrainMainQueue()
  }

  private func start() {
    proctorFinish(#"{"event":"started"}"#)
    began = .now
  }

  @MainActor private func measured<R>(
    taking count: Int, _ function: @MainActor () async throws -> R,
    _ run: @escaping @MainActor (Int) async throws -> Double
  ) async -> String {
    do {
      // Taking the last argument throws, so that the function is not called.
      batch.missing = count
      if count > 0 { _ = try await function() }
    } catch is ProctorTaken {
    } catch {
      return raised(error)
    }
    start()
    proctorCount(batch.calls)
    do { return try await timing!.measure(batch, run) } catch {
      return String(raised(error).dropLast()) + ",\"iteration\":\(batch.calls[0] + batch.calls[1] + 1)}"
    }
  }

  // MARK: arguments

  @inlinable public func take<T: Decodable>(_ index: Int, _ name: String) throws -> T {
    if batch.isRunning {
      return (batch.addresses[index].assumingMemoryBound(to: T.self) + batch.calls[1]).move()
    }
    return try decoded(index, name)
  }

  @usableFromInline func decoded<T: Decodable>(_ index: Int, _ name: String) throws -> T {
    let decoder = JSONDecoder()
    decoder.userInfo[ProctorSlot<T>.index] = index
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    decoder.dateDecodingStrategy = .custom(ProctorDates.decode)
    let request = request
    func decode() throws -> T { try decoder.decode(ProctorSlot<T>.self, from: request).value }
    do {
      let value = try decode()
      if timing != nil { try batch.keep(ProctorArgument(value, decode)) }
      began = .now
      return value
    } catch let error as DecodingError {
      throw ProctorBadArgument(
        name: name, expected: "\(T.self)", message: Self.words(error, of: T.self))
    }
  }

  /// Anything that is not Decodable.
  @_disfavoredOverload public func take<T>(_ index: Int, _ name: String) throws -> T {
    throw ProctorBadArgument(
      name: name, expected: "\(T.self)",
      message: "\(T.self) cannot be made from JSON: only Codable types can")
  }

  private static func words<T>(_ error: DecodingError, of type: T.Type) -> String {
    switch error {
    case .typeMismatch(let type, let context):
      "\(context.debugDescription.isEmpty ? "not \(type)" : context.debugDescription)\(place(context))"
    case .valueNotFound(let type, let context): "null is not \(type)\(place(context))"
    case .keyNotFound(let key, let context): "\(key.stringValue) is missing\(place(context))"
    // The whole is JSON: that was looked at before the call.
    case .dataCorrupted(let context) where context.underlyingError != nil:
      "not to be represented as \(T.self)\(place(context))"
    case .dataCorrupted(let context): "\(context.debugDescription)\(place(context))"
    @unknown default: "\(error)"
    }
  }

  /// Below the argument itself, as in ` at [1].x`.
  private static func place(_ context: DecodingError.Context) -> String {
    let keys = context.codingPath.dropFirst(2).map { key in
      key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)"
    }
    return keys.isEmpty ? "" : " at \(keys.joined())"
  }

  // MARK: the end

  private func raised(_ error: any Error) -> String {
    if let bad = error as? ProctorBadArgument {
      return #"{"event":"bad_arguments","argument":\#(proctorQuoted(bad.name)),"#
        + #""expected":\#(proctorQuoted(bad.expected)),"message":\#(proctorQuoted(bad.message))}"#
    }
    let kind = "\(type(of: error))"
    let text = String("\(error)".prefix(4000))
    return #"{"event":"raised","kind":\#(proctorQuoted(kind)),"message":\#(proctorQuoted(text))}"#
  }

  private func returned(_ value: Any) -> String {
    let spent = (ContinuousClock.now - began).components
    let nanoseconds = Double(spent.seconds) * 1e9 + Double(spent.attoseconds) / 1e9
    var writer = ProctorWriter(items: limits.items)
    do {
      let text = try writer.text(value, "result", 0)
      guard text.utf8.count <= limits.output_limit else {
        return #"{"event":"too_large","size":\#(text.utf8.count)}"#
      }
      let form = writer.form.map { #","form":"\#($0)""# } ?? ""
      let truncated = writer.truncated ? #","truncated":true"# : ""
      return #"{"event":"returned","nanoseconds":\#(nanoseconds),"value":\#(text)\#(form)\#(truncated)}"#
    } catch {
      let words = String("\(value)".prefix(2000))
      return #"{"event":"unserializable","text":\#(proctorQuoted(words)),"#
        + #""message":\#(proctorQuoted("\(error)"))}"#
    }
  }
}

/// One of the request's arguments.
struct ProctorSlot<T: Decodable>: Decodable {
  enum Keys: String, CodingKey { case args }
  struct Skipped: Decodable {}

  static var index: CodingUserInfoKey { CodingUserInfoKey(rawValue: "proctor.index")! }
  let value: T

  init(from decoder: any Decoder) throws {
    var list = try decoder.container(keyedBy: Keys.self).nestedUnkeyedContainer(forKey: .args)
    for _ in 0..<(decoder.userInfo[Self.index] as? Int ?? 0) { _ = try list.decode(Skipped.self) }
    value = try list.decode(T.self)
  }
}

// MARK: results

struct ProctorNoForm: Error, CustomStringConvertible {
  let description: String
}

protocol ProctorEither {
  var proctorParts: (value: Any, isFailure: Bool) { get }
}

extension Result: ProctorEither {
  var proctorParts: (value: Any, isFailure: Bool) {
    switch self {
    case .success(let value): (value, false)
    case .failure(let error): (error, true)
    }
  }
}

/// Dates as other languages have them.
enum ProctorDates {
  private static let whole = Date.ISO8601FormatStyle()
  private static let exact = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

  static func encode(_ date: Date, _ encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    let isWhole = date.timeIntervalSince1970 == date.timeIntervalSince1970.rounded()
    try container.encode(date.formatted(isWhole ? whole : exact))
  }

  static func decode(_ decoder: any Decoder) throws -> Date {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let date = (try? whole.parse(text)) ?? (try? exact.parse(text)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "not a date such as 2026-01-31T12:00:00Z")
    }
    return date
  }
}

struct ProctorWriter {
  private static let depthLimit = 100

  let items: Int
  private(set) var form: String?
  private(set) var truncated = false
  private var objects: [ObjectIdentifier] = []

  init(items: Int) { self.items = items }

  /// - Parameter path: `result.x[2]`.
  mutating func text(_ value: Any, _ path: String, _ depth: Int) throws -> String {
    guard depth <= Self.depthLimit else {
      throw ProctorNoForm(description: "\(path): nested deeper than \(Self.depthLimit)")
    }
    if value is Void { return "null" }
    if let either = value as? any ProctorEither {
      let parts = either.proctorParts
      guard parts.isFailure else { return try text(parts.value, path, depth + 1) }
      // The error of a Result is told in words where it has no JSON of its own.
      let words = parts.value is any Encodable ? nil : proctorQuoted("\(parts.value)")
      let result = try words ?? text(parts.value, path, depth + 1)
      if depth == 0 { form = "err" }
      return result
    }
    if let encodable = value as? any Encodable { return try encoded(encodable, path) }
    return try reflected(value, path, depth)
  }

  private func encoded(_ value: any Encodable, _ path: String) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    encoder.dateEncodingStrategy = .custom(ProctorDates.encode)
    do {
      return String(decoding: try encoder.encode(value), as: UTF8.self)
    } catch EncodingError.invalidValue(_, let context) {
      let keys = context.codingPath.map { key in
        key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)"
      }
      throw ProctorNoForm(description: "\(path)\(keys.joined()): \(context.debugDescription)")
    } catch {
      throw ProctorNoForm(description: "\(path): \(error)")
    }
  }

  private mutating func reflected(_ value: Any, _ path: String, _ depth: Int) throws -> String {
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional:
      return try mirror.children.first.map { try text($0.value, path, depth + 1) } ?? "null"
    case .tuple: return try tuple(mirror, path, depth)
    case .dictionary: return try dictionary(mirror, path, depth)
    case .collection, .set:
      return try list(mirror.children.lazy.map(\.value), path, depth)
    default: break
    }
    if let sequence = value as? any Sequence { return try list(sequence, path, depth) }
    switch mirror.displayStyle {
    case .enum:
      form = form ?? "reflection"
      guard let child = mirror.children.first else { return proctorQuoted("\(value)") }
      let name = child.label ?? "value"
      return "{\(proctorQuoted(name)):\(try text(child.value, "\(path).\(name)", depth + 1))}"
    case .struct:
      form = form ?? "reflection"
      return try fields(mirror, path, depth)
    case .class:
      form = form ?? "reflection"
      let identity = ObjectIdentifier(value as AnyObject)
      guard !objects.contains(identity) else {
        throw ProctorNoForm(description: "\(path): it contains itself")
      }
      objects.append(identity)
      defer { objects.removeLast() }
      return try fields(mirror, path, depth)
    default: throw ProctorNoForm(description: "\(path): \(type(of: value)) has no JSON form")
    }
  }

  private mutating func list(
    _ sequence: some Sequence, _ path: String, _ depth: Int
  ) throws -> String {
    var texts: [String] = []
    for item in sequence {
      guard texts.count < items else {
        truncated = true
        break
      }
      texts.append(try text(item, "\(path)[\(texts.count)]", depth + 1))
    }
    return "[\(texts.joined(separator: ","))]"
  }

  private mutating func tuple(_ mirror: Mirror, _ path: String, _ depth: Int) throws -> String {
    // Without a label of its own a part is called `.0`.
    let isNamed = mirror.children.allSatisfy { $0.label?.hasPrefix(".") == false }
    return isNamed
      ? try fields(mirror, path, depth)
      : try list(mirror.children.lazy.map(\.value), path, depth)
  }

  private mutating func dictionary(_ mirror: Mirror, _ path: String, _ depth: Int) throws -> String
  {
    var pairs: [(key: Any, value: Any)] = []
    for child in mirror.children {
      guard let pair = child.value as? (key: Any, value: Any) else {
        let parts = Mirror(reflecting: child.value).children.map(\.value)
        if parts.count == 2 { pairs.append((parts[0], parts[1])) }
        continue
      }
      pairs.append(pair)
    }
    let named = pairs.compactMap { pair in (pair.key as? String).map { ($0, pair.value) } }
    guard named.count == pairs.count else {
      var texts: [String] = []
      for pair in pairs {
        texts.append(
          "[\(try text(pair.key, path, depth + 1)),\(try text(pair.value, path, depth + 1))]")
      }
      return "[\(texts.sorted().joined(separator: ","))]"
    }
    return try object(named.sorted { $0.0 < $1.0 }, path, depth)
  }

  private mutating func fields(_ mirror: Mirror, _ path: String, _ depth: Int) throws -> String {
    var all: [(String, Any)] = []
    var mirrors = [mirror]
    while let parent = mirrors.last?.superclassMirror { mirrors.append(parent) }
    for mirror in mirrors.reversed() {
      for child in mirror.children { all.append((child.label ?? "\(all.count)", child.value)) }
    }
    return try object(all, path, depth)
  }

  private mutating func object(
    _ fields: [(String, Any)], _ path: String, _ depth: Int
  ) throws -> String {
    var texts: [String] = []
    for (name, value) in fields {
      texts.append("\(proctorQuoted(name)):\(try text(value, "\(path).\(name)", depth + 1))")
    }
    return "{\(texts.joined(separator: ","))}"
  }
}
