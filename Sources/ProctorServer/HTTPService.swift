public import FoundationEssentials
import Glibc
import HTTPTypes
import Hummingbird
import Logging
public import ProctorAudit
public import ProctorEngine
import ProctorModel
import ServiceLifecycle
import UnixSignals

/// The workspaces of a machine served over HTTP, until it is told to stop.
public struct HTTPService: Sendable {
  private let settings: HTTPSettings
  private let workspaces: HTTPWorkspaces
  private let queue: WorkQueue
  private let record: HTTPRecord
  private let figures = ServiceFigures()

  /// - Parameters:
  ///   - directories: with the names by which clients mean them; not empty.
  ///   - options: for each of them.
  ///   - trail: where calls are recorded.
  /// - Throws: `EngineError` when there is no such folder, or the settings leave it open to others.
  public init(
    _ directories: [(name: String, path: String)], _ options: EngineOptions,
    _ settings: HTTPSettings, _ trail: AuditTrail
  ) throws(EngineError) {
    if settings.token == nil, !settings.isLoopback {
      throw EngineError(
        .usage, "whoever reaches \(settings.host) could run code here",
        resolution:
          "Give a token: --token-file FILE, or PROCTOR_TOKEN in the environment. Or listen on 127.0.0.1 only."
      )
    }
    let queue = WorkQueue(running: settings.mostRunning, waiting: settings.mostWaiting)
    var all: [ServedWorkspace] = []
    for (name, path) in directories {
      guard !all.contains(where: { $0.name == name }) else {
        throw EngineError(
          .usage, "two workspaces are named \(name)", resolution: "Name them: NAME=DIR.")
      }
      all.append(
        try ServedWorkspace(
          name: name, directory: path, options: options, queue: queue, trail: trail))
    }
    self.settings = settings
    self.queue = queue
    record = HTTPRecord(trail: trail, workspaces: all)
    workspaces = HTTPWorkspaces(all: all)
  }

  /// Serves until SIGINT or SIGTERM; calls then have a moment to end, and nothing is left of them when it returns.
  /// - Parameter started: is told the port.
  /// - Throws: what the network says.
  public func run(started: @escaping @Sendable (Int) -> Void) async throws {
    var logger = Logger(label: "proctor") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .info
    // The framework's own words are about itself.
    var quiet = logger
    quiet.logLevel = .error
    let application = Application(
      router: router(logger),
      server: .http1(
        configuration: .init(
          idleTimeout: .seconds(120),
          httpDecoderConfiguration: .init(
            maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 64 << 10, maxHeaderFieldCount: 100))),
      configuration: .init(
        address: .hostname(settings.host, port: settings.port), serverName: nil, backlog: 1024,
        availableConnectionsDelegate: .maximum(Self.mostConnections, logger: quiet)),
      onServerRunning: { started($0.localAddress?.port ?? 0) },
      logger: quiet)
    let runs = RunsService(workspaces: workspaces.all)
    var configuration = ServiceGroupConfiguration(
      services: [runs, application], gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
    configuration.maximumGracefulShutdownDuration = .seconds(settings.grace)
    try await ServiceGroup(configuration: configuration).run()
  }

  /// Clients at the same time: half of the descriptors stay for what is done for them.
  private static var mostConnections: Int {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return min(4096, max(16, Int(clamping: limit.rlim_cur) / 2))
  }

  // MARK: what can be called

  private var endpoints: [HTTPEndpoint] {
    let confirmations = HTTPConfirmations(allowsAhead: settings.allowsAhead, record: record)
    let operations = HTTPOperations(
      workspaces: workspaces, confirmations: confirmations, figures: figures, queue: queue)
    let called =
      operations.endpoints + HTTPRuns(workspaces: workspaces, record: record).endpoints
      + HTTPAudit(workspaces: workspaces).endpoints + confirmations.endpoints
      + HTTPPage(workspaces: workspaces).endpoints
      + HTTPMCP(workspaces, confirmations, allowsAhead: settings.allowsAhead).endpoints + own
    let document = HTTPEndpoint(
      .get("openapi.json"), "openapi", for: .nobody, OpenAPI.itself
    ) { _ in .json(OpenAPI.document(called)) }
    return called + [document]
  }

  private var own: [HTTPEndpoint] {
    [
      HTTPEndpoint(.get("health"), "health", for: .nobody, OpenAPI.health) { _ in
        .json(["status": "ok", "version": .string(ProctorVersion.text)])
      },
      HTTPEndpoint(.get("metrics"), "metrics", for: .caller, OpenAPI.metrics) { _ in
        let runs = workspaces.all.reduce(0) { $0 + $1.runs.all.count { $0.outcome == nil } }
        let text = figures.text(queue: queue.counts, runs: runs)
        return Response(
          status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
          body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
      },
    ]
  }

  private func router(_ logger: Logger) -> Router<ServiceContext> {
    let router = Router(context: ServiceContext.self)
    let desk = HTTPDesk(access: HTTPAccess(settings: settings), figures: figures, logger: logger)
    let endpoints = endpoints
    for endpoint in endpoints {
      router.on(RouterPath("/\(endpoint.route.path)"), method: endpoint.route.method) {
        await desk.answer($0, $1, endpoint)
      }
    }
    router.add(middleware: HTTPNothingThere(desk: desk, routes: endpoints.map(\.route)))
    return router
  }
}

/// Keeps runs going for calls that come and go.
private struct RunsService: Service {
  let workspaces: [ServedWorkspace]

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        for workspace in workspaces { group.addTask { await workspace.runs.serve() } }
      }
    }
  }
}
