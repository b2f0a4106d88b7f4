public import FoundationEssentials
public import ProctorAudit
public import ProctorEngine
import ProctorModel
import Synchronization

/// One client that speaks MCP, by the rules of either era.
public final class MCPSession: Sendable {
  /// Requests that are served at the same time.
  private static let most = 64
  /// Runs and other calls that are worked on at the same time for a client alone.
  private static let mostWork = 20

  /// Takes one message without a line end, in the order in which they are sent; it does not wait.
  typealias Reply = @Sendable (Data) -> Void

  /// One request that is being served.
  private struct Service: Sendable {
    let request: RPCRequest
    let era: MCPEra
    let reply: Reply
    /// Opened when its client wants no answer any more; also tells it from another one of the same id.
    let cancelled = Latch()
  }

  private struct State {
    /// By `initialize`.
    var settled: MCPEra?
    var inFlight: [RPCID: Latch] = [:]
    /// Also those that were cancelled and are still being taken down.
    var running = 0
  }

  private let workspace: ServedWorkspace
  private let questions: MCPQuestions
  private let origin: String?
  private let state = Mutex(State())

  /// - Parameter origin: where the client is, and how it was admitted; nil for one that this process serves alone.
  init(_ workspace: ServedWorkspace, _ questions: MCPQuestions, origin: String? = nil) {
    self.workspace = workspace
    self.questions = questions
    self.origin = origin
  }

  /// A client that has the workspace for itself.
  /// - Parameters:
  ///   - allowsAhead: code runs without asking anybody.
  ///   - trail: where calls are recorded.
  /// - Throws: `EngineError` when there is no such folder.
  public convenience init(
    directory: String, options: EngineOptions, allowsAhead: Bool, trail: AuditTrail
  ) throws(EngineError) {
    self.init(
      try ServedWorkspace(
        name: "", directory: directory, options: options,
        queue: WorkQueue(running: Self.mostWork, waiting: 0), trail: trail),
      MCPQuestions(allowsAhead: allowsAhead, tokens: ConfirmationTokens()))
  }

  /// Serves until the lines end or the task is cancelled; then everything that goes on is cancelled, nobody is told any
  /// more, and nothing is left of it when it returns.
  /// - Parameter send: takes one message without a line end, in the order in which they are sent; it does not wait.
  public func serve(
    _ lines: AsyncStream<InputLine>, send: @escaping @Sendable (Data) -> Void
  ) async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.workspace.runs.serve() }
      for await line in lines {
        if let job = receive(line, send) { group.addTask { await job() } }
      }
      state.withLock { $0.inFlight = [:] }
      group.cancelAll()
    }
  }

  /// Whether `initialize` settled by which rules it goes.
  var isInitialized: Bool { state.withLock { $0.settled != nil } }

  // MARK: what comes

  typealias Job = @Sendable () async -> Void

  /// - Parameter reply: what is said about this message goes there.
  /// - Returns: what takes longer.
  func receive(_ line: InputLine, _ reply: @escaping Reply) -> Job? {
    guard case .line(let data) = line else {
      Self.tell(
        RPCError(.invalidRequest, "a line is longer than \(InputLine.limit >> 20) MB"), id: nil,
        reply)
      return nil
    }
    guard !data.allSatisfy({ [0x20, 0x09, 0x0d].contains($0) }) else { return nil }
    do {
      switch try RPCMessage(data) {
      case .request(let request): return try receive(request, reply)
      case .notification("notifications/cancelled", let params): cancel(params)
      case .notification: break
      case .response(let id, let result): questions.answer(id, result)
      }
    } catch {
      Self.tell(error, id: error.id, reply)
    }
    return nil
  }

  private func receive(
    _ request: RPCRequest, _ reply: @escaping Reply
  ) throws(RPCError) -> Job? {
    func error(_ error: RPCError) -> RPCError {
      var error = error
      error.id = request.id
      return error
    }
    if let refused = admission(of: request.id) { throw error(refused) }
    do {
      if request.method == "initialize" {
        try initialize(request, reply)
        return nil
      }
      let era = try MCPEra(request, settled: state.withLock { $0.settled })
      let service = Service(request: request, era: era, reply: reply)
      state.withLock { state in
        state.inFlight[request.id] = service.cancelled
        state.running += 1
      }
      return {
        self.finish(
          service, await service.cancelled.cancelling { await self.outcome(of: service) })
        self.state.withLock { $0.running -= 1 }
      }
    } catch let problem {
      throw error(problem)
    }
  }

  /// Why a request is not even looked at; nil when it is.
  private func admission(of id: RPCID) -> RPCError? {
    state.withLock { state in
      if state.inFlight[id] != nil {
        return RPCError(.invalidRequest, "a request with this id has not been answered yet")
      }
      if state.running >= Self.most {
        return RPCError(.busy, "\(Self.most) requests are being served already")
      }
      return nil
    }
  }

  private func initialize(_ request: RPCRequest, _ reply: Reply) throws(RPCError) {
    let era = try MCPEra(initialize: request.params)
    let isFirst = state.withLock { state in
      guard state.settled == nil else { return false }
      state.settled = era
      return true
    }
    guard isFirst else { throw RPCError(.invalidRequest, "initialize came before") }
    let result: JSONValue = [
      "protocolVersion": .string(era.version), "capabilities": MCPResult.capabilities,
      "serverInfo": MCPResult.serverInfo, "instructions": MCPResult.instructions,
    ]
    reply(Self.message(["id": request.id.json, "result": result]))
  }

  private func cancel(_ params: JSONFields?) {
    guard let id = params?["requestId"].flatMap(RPCID.init) else { return }
    state.withLock { $0.inFlight.removeValue(forKey: id) }?.open()
  }

  // MARK: what goes

  static func message(_ members: JSONValue) -> Data {
    guard case .object(let members) = members else { return Data() }
    return lineSafe(JSONValue.object([("jsonrpc", "2.0")] + members).data)
  }

  /// Some readers take U+2028, U+2029 and U+0085 for ends of lines. In JSON they can only be in strings.
  private static func lineSafe(_ data: Data) -> Data {
    var safe = Data(capacity: data.count)
    var rest = data[...]
    while let lead = rest.firstIndex(where: { $0 == 0xe2 || $0 == 0xc2 }) {
      let sign = rest[lead...]
      let escape =
        sign.starts(with: [0xe2, 0x80, 0xa8])
        ? #"\u2028"#
        : sign.starts(with: [0xe2, 0x80, 0xa9])
          ? #"\u2029"# : sign.starts(with: [0xc2, 0x85]) ? #"\u0085"# : nil
      safe += rest[..<lead]
      safe += escape.map { Data($0.utf8) } ?? Data([rest[lead]])
      rest = sign.dropFirst(escape == nil ? 1 : rest[lead] == 0xe2 ? 3 : 2)
    }
    return safe + rest
  }

  private static func tell(_ error: RPCError, id: RPCID?, _ reply: Reply) {
    reply(message(["id": id?.json ?? .null, "error": error.json]))
  }

  /// Answers a request, unless it was cancelled: then nothing more is said about it.
  private func finish(_ service: Service, _ outcome: Result<JSONValue, RPCError>) {
    let id = service.request.id
    let message =
      switch outcome {
      case .success(let result): Self.message(["id": id.json, "result": result])
      case .failure(let error): Self.message(["id": id.json, "error": error.json])
      }
    state.withLock { state in
      guard state.inFlight[id] === service.cancelled else { return }
      state.inFlight[id] = nil
      service.reply(message)
    }
  }

  /// Says something about a request that is being served.
  private func notify(_ message: JSONValue, about service: Service) {
    state.withLock { state in
      if state.inFlight[service.request.id] === service.cancelled {
        service.reply(Self.message(message))
      }
    }
  }

  // MARK: methods

  private func outcome(of service: Service) async -> Result<JSONValue, RPCError> {
    do {
      return .success(try await result(of: service).json(service.era))
    } catch {
      return .failure(error)
    }
  }

  private func result(of service: Service) async throws(RPCError) -> MCPResult {
    let (request, era) = (service.request, service.era)
    let resources = MCPResources(runs: workspace.runs, workspace: workspace.root)
    switch request.method {
    case "server/discover" where era.isStateless: return Self.discovery
    case "ping" where !era.isStateless: return MCPResult([])
    case "tools/list": return try wholeList(MCPTools.list, request)
    case "resources/list": return try wholeList(resources.list, request)
    case "resources/templates/list": return try wholeList(MCPResources.templates, request)
    case "resources/read":
      guard let uri = request.params?.string("uri") else {
        throw RPCError(.invalidParams, "uri must be a string")
      }
      guard let result = resources.read(uri) else {
        throw RPCError(
          era.isStateless ? .invalidParams : .resourceNotFound, "there is no such resource",
          data: ["uri": .string(uri)])
      }
      return result
    case "tools/call": return try await call(service)
    default: throw RPCError(.methodNotFound, "there is no method \(request.method.prefix(80))")
    }
  }

  private static let discovery = MCPResult(
    [
      ("supportedVersions", .array(MCPEra.stateless.map { .string($0) })),
      ("capabilities", MCPResult.capabilities), ("instructions", MCPResult.instructions),
    ], keeping: .whole)

  /// Lists have one page.
  private func wholeList(
    _ list: MCPResult, _ request: RPCRequest
  ) throws(RPCError) -> MCPResult {
    guard request.params?["cursor"] == nil else {
      throw RPCError(.invalidParams, "there is no such cursor: the list has one page")
    }
    return list
  }

  private func call(_ service: Service) async throws(RPCError) -> MCPResult {
    let request = service.request
    guard let name = request.params?.string("name") else {
      throw RPCError(.invalidParams, "name must be a string")
    }
    guard let operation = Operation.all.first(where: { $0.name == name }) else {
      throw RPCError(.invalidParams, "there is no tool \(name.prefix(80))")
    }
    let arguments = request.params?.fields("arguments")
    guard arguments != nil || request.params?["arguments"] == nil else {
      throw RPCError(.invalidParams, "arguments must be an object without keys given twice")
    }
    let call = ConfirmationTokens.Call(name, in: workspace.name, arguments)
    let client = service.era.client ?? "a client without a name"
    let feed = ProgressFeed()
    let context = workspace.context(
      for: .model, asking: questions.asker(request, service.era, call, service.reply), feed,
      door: origin == nil ? .mcp : .http, caller: origin.map { "\(client) from \($0)" } ?? client)
    let outcome = await telling(feed, service) { await operation.run(arguments, context) }
    switch outcome {
    case .done(let answer): return MCPTools.result(answer)
    case .mustAsk(let asked): return questions.sentAway(with: asked)
    }
  }

  /// Tells how far it is while it goes on, when that is wanted.
  private func telling(
    _ feed: ProgressFeed, _ service: Service,
    _ work: @escaping @Sendable () async -> OperationOutcome
  ) async -> OperationOutcome {
    guard let token = service.request.meta?["progressToken"], RPCID(token) != nil else {
      return await work()
    }
    let done = Latch()
    async let telling: Void = done.cancelling {
      await ProgressTeller(token: .text(token)) { self.notify($0, about: service) }.tell(feed)
    }
    let outcome = await work()
    done.open()
    await telling
    return outcome
  }
}
