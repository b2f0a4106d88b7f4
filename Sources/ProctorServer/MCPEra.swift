import FoundationEssentials

/// The rules by which one request is served: the protocol's version, and what its sender can do.
struct MCPEra: Sendable {
  /// Newest first. Each request carries its version and the client's capabilities.
  static let stateless = ["2026-07-28"]
  /// Newest first. `initialize` settles them once.
  static let handshake = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]

  private static let prefix = "io.modelcontextprotocol/"
  static let serverInfoKey = "\(prefix)serverInfo"
  static let versionKey = "\(prefix)protocolVersion"

  let version: String
  let isStateless: Bool
  /// Whether it can show its user a form.
  let canAsk: Bool
  /// The client's name and version, as it says; nil when it does not.
  let client: String?

  /// - Parameter settled: what `initialize` settled; nil when it did not come yet.
  init(_ request: RPCRequest, settled: MCPEra?) throws(RPCError) {
    let meta = request.meta
    guard let meta, meta.has(Self.versionKey) else {
      guard let settled else {
        throw RPCError(
          .invalidParams,
          "no protocol version: send initialize first, or \(Self.versionKey) in _meta")
      }
      self = settled
      return
    }
    guard let version = meta.string(Self.versionKey) else {
      throw RPCError(.invalidParams, "\(Self.versionKey) must be a string")
    }
    guard let capabilities = meta.fields("\(Self.prefix)clientCapabilities") else {
      throw RPCError(.invalidParams, "\(Self.prefix)clientCapabilities must be given, an object")
    }
    guard Self.stateless.contains(version) else {
      throw RPCError(
        .unsupportedVersion, "the protocol version is not supported",
        data: [
          "supported": .array(Self.stateless.map { .string($0) }),
          "requested": .string(version),
        ])
    }
    self.init(
      version: version, isStateless: true, canAsk: Self.hasForms(capabilities),
      client: Self.client(meta.fields("\(Self.prefix)clientInfo")))
  }

  /// Whether a request carries its version, as those without a session do.
  static func names(_ request: RPCRequest) -> Bool { request.meta?.has(versionKey) ?? false }

  /// What is wrong with a request that carries its version; nil for nothing.
  static func problem(with request: RPCRequest) -> RPCError? {
    do {
      _ = try MCPEra(request, settled: nil)
      return nil
    } catch {
      return error
    }
  }

  /// What `initialize` settles.
  init(initialize params: JSONFields?) throws(RPCError) {
    guard let wanted = params?.string("protocolVersion") else {
      throw RPCError(.invalidParams, "protocolVersion must be a string")
    }
    let version = Self.handshake.contains(wanted) ? wanted : Self.handshake[0]
    let knowsForms = Self.handshake.prefix(2).contains(version)
    let capabilities = params?.fields("capabilities")
    self.init(
      version: version, isStateless: false,
      canAsk: knowsForms && (capabilities.map(Self.hasForms) ?? false),
      client: Self.client(params?.fields("clientInfo")))
  }

  private init(version: String, isStateless: Bool, canAsk: Bool, client: String?) {
    self.version = version
    self.isStateless = isStateless
    self.canAsk = canAsk
    self.client = client
  }

  private static func client(_ info: JSONFields?) -> String? {
    info?.string("name").map { name in
      [name, info?.string("version")].compactMap(\.self).joined(separator: " ")
    }
  }

  /// Elicitation without a mode is by forms.
  private static func hasForms(_ capabilities: JSONFields) -> Bool {
    guard let elicitation = capabilities.fields("elicitation") else { return false }
    return elicitation.names.isEmpty || elicitation.has("form")
  }
}
