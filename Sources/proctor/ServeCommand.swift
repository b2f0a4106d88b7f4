import ArgumentParser
import FoundationEssentials
import Glibc
import ProctorAudit
import ProctorEngine
import ProctorServer

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serve workspaces over HTTP: the operations, a page to look at, and MCP.",
    discussion: """
      Only the workspaces named here can be touched. It listens on this machine only unless --host says otherwise, \
      which needs a token. GET /openapi.json describes what can be called; docs/serve.md has examples. Before code \
      runs, whoever holds the confirmation token is asked, as require_user_confirmation in proctor.toml wants; \
      running tests never asks.

      EXAMPLES
        proctor serve                                   this folder, on http://127.0.0.1:8420
        proctor serve shop=~/code/shop ~/code/blog      two, ?workspace=shop and ?workspace=blog
        proctor serve --host 0.0.0.0 --token-file token for other machines, with a token
        curl -X POST http://127.0.0.1:8420/tests/run_all
        curl http://127.0.0.1:8420/tests?filter=auth

      ENVIRONMENT
        PROCTOR_TOKEN               what callers must show, if --token-file is not given
        PROCTOR_CONFIRMATION_TOKEN  what answers questions; else a new one is shown at the start

      EXIT STATUS
        0 it was told to stop · 2 wrong usage, or no such folder · 5 it cannot listen there
      """)

  @Argument(help: ArgumentHelp("The workspaces, with names if wanted.", valueName: "[name=]dir"))
  var workspaces: [String] = ["."]

  @Option(help: "The address to listen on.")
  var host = "127.0.0.1"

  @Option(name: [.short, .long], help: "The port; 0 for any that is free.")
  var port = 8420

  @Option(
    help: ArgumentHelp("A file with the token that callers must show.", valueName: "file"))
  var tokenFile: String?

  @Option(
    help: ArgumentHelp(
      "A file with the token of whoever answers questions in the user's name.", valueName: "file"))
  var confirmationTokenFile: String?

  @Option(
    help: ArgumentHelp(
      "A name, besides localhost and addresses, by which clients call. Repeatable.",
      valueName: "name"))
  var allowHost: [String] = []

  @Option(
    help: ArgumentHelp(
      "Another origin whose pages may call: https://ci.example. Repeatable.", valueName: "origin"))
  var allowOrigin: [String] = []

  @Option(
    help: ArgumentHelp(
      "Calls that are worked on at the same time. Default: twice the machine's cores.",
      valueName: "n"))
  var maxRunning: Int?

  @Option(
    help: ArgumentHelp("Calls that wait for that; more are told to come again.", valueName: "n"))
  var maxWaiting = 64

  @Option(
    help: ArgumentHelp(
      "How long calls have to end when the service is told to stop.", valueName: "seconds"))
  var grace = 10.0

  @OptionGroup var session: SessionOptions

  func validate() throws {
    try checkSeconds(grace, of: "--grace")
    guard (0...65535).contains(port) else {
      throw ValidationError("--port takes a number from 0 to 65535.")
    }
    if let maxRunning, maxRunning < 1 {
      throw ValidationError("--max-running takes a number above 0.")
    }
    if maxWaiting < 0 { throw ValidationError("--max-waiting takes 0 or more.") }
    for origin in allowOrigin
    where !origin.hasPrefix("http://") && !origin.hasPrefix("https://") || origin.hasSuffix("/") {
      throw ValidationError("--allow-origin takes https://NAME or http://NAME, without a path.")
    }
  }

  func run() async throws {
    let cores = max(1, ProcessInfo.processInfo.activeProcessorCount)
    let warmCalls = WarmCalls()
    let options = session.engineOptions(
      ProcessInfo.processInfo.environment.withoutTokens, warmCalls)
    let (service, settings) = try service(options, cores: cores)
    do {
      try await service.run { port in
        Console.error(Self.greeting(settings, port: port))
      }
    } catch {
      await warmCalls.close()
      Console.error(
        "proctor: cannot serve on \(host) port \(port): \(error)\nChoose another one with --port or --host."
      )
      throw ProctorExit.noVerdict.code
    }
    await warmCalls.close()
  }

  private func service(
    _ options: EngineOptions, cores: Int
  ) throws -> (HTTPService, HTTPSettings) {
    do {
      let settings = try settings(cores: cores)
      // None of it may be written down, wherever it stands.
      let secrets = [
        Token.variable: settings.token, Token.confirmationVariable: settings.confirmationToken,
      ].compactMapValues(\.self)
      let environment = options.environment.merging(secrets) { $1 }
      let trail = try AuditTrail.of(environment) { Console.error("proctor: \($0)") }
      return (try HTTPService(workspaces.map(Self.named), options, settings, trail), settings)
    } catch {
      Console.error("proctor: \(error.message)\n\(error.resolution)")
      throw ProctorExit(error).code
    }
  }

  private func settings(cores: Int) throws(EngineError) -> HTTPSettings {
    let environment = ProcessInfo.processInfo.environment
    let confirmation =
      try Token.read(confirmationTokenFile, or: environment[Token.confirmationVariable])
    var settings = HTTPSettings(confirmationToken: confirmation ?? Token.random())
    settings.token = try Token.read(tokenFile, or: environment[Token.variable])
    guard settings.token != settings.confirmationToken else {
      throw EngineError(
        .usage, "the token and the confirmation token are the same",
        resolution: "Give two: whoever calls must not be able to answer in the user's name.")
    }
    settings.isConfirmationTokenShown = confirmation == nil
    (settings.host, settings.port) = (host, port)
    (settings.hosts, settings.origins) = (allowHost.map { $0.lowercased() }, allowOrigin)
    settings.allowsAhead = session.yes
    (settings.mostRunning, settings.mostWaiting) = (maxRunning ?? 2 * cores, maxWaiting)
    settings.grace = grace
    return settings
  }

  /// `shop=~/code/shop`, or a folder that has its own name.
  private static func named(_ argument: String) -> (name: String, path: String) {
    if let sign = argument.firstIndex(of: "="), !argument[..<sign].contains("/") {
      return (String(argument[..<sign]), String(argument[argument.index(after: sign)...]))
    }
    let real = (try? Engine.root(of: argument)) ?? argument
    return (real.split(separator: "/").last.map(String.init) ?? "root", argument)
  }

  private static func greeting(_ settings: HTTPSettings, port: Int) -> String {
    let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
    let address = "http://\(host):\(port)"
    var lines = ["proctor serves \(address)"]
    if settings.isConfirmationTokenShown {
      lines.append(
        "The page, where you are asked before code runs: \(address)/#token=\(settings.confirmationToken)"
      )
    }
    return lines.joined(separator: "\n")
  }
}

/// A secret that callers show.
private enum Token {
  static let variable = "PROCTOR_TOKEN"
  static let confirmationVariable = "PROCTOR_CONFIRMATION_TOKEN"
  private static let shortest = 16

  /// - Parameter file: is read rather than the value; nil for none.
  static func read(_ file: String?, or value: String?) throws(EngineError) -> String? {
    let found: String
    if let file {
      guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
        throw EngineError(
          .usage, "cannot read the token in \(file)", resolution: "Name a file with one line.")
      }
      found = String(text.prefix { !$0.isNewline })
    } else if let value, !value.isEmpty {
      found = value
    } else {
      return nil
    }
    guard found.utf8.count >= shortest, found.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
      throw EngineError(
        .usage, "a token has at least \(shortest) characters, without blanks",
        resolution: "Make one: head -c 24 /dev/urandom | base64 > FILE")
    }
    return found
  }

  static func random() -> String {
    var random = SystemRandomNumberGenerator()
    return (0..<3).map { _ in String(random.next(), radix: 36) }.joined()
  }
}

extension [String: String] {
  /// What runs in a workspace must not learn how to call.
  fileprivate var withoutTokens: [String: String] {
    filter { $0.key != Token.variable && $0.key != Token.confirmationVariable }
  }
}
