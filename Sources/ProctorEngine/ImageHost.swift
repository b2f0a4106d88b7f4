import FoundationEssentials
import ProctorModel
import ProctorSandbox
import Synchronization

/// The inside of an image, as far as finding tools needs it: a shell in one container answers for all.
///
/// What stands in the workspace is looked up on this machine: it has the same paths inside.
final class ImageHost: ProctorModel.Host, Sendable {
  let environment: [String: String]
  private let local: LocalHost
  private let shell: Mutex<ContainerShell>
  private let answers = Mutex<[String: String?]>([:])

  /// - Throws: `EngineError` when the engine cannot run the image.
  init(local: LocalHost, container: SandboxPolicy.Container, reads: [String]) throws(EngineError) {
    self.local = local
    let shell = try ContainerShell(container, reads: reads)
    // The image's own settings; of this machine's only what is about the user's wishes.
    var environment = local.environment.filter { name, _ in
      name == "CI" || name == "TZ" || name == "LANG" || name.hasPrefix("LC_")
    }
    environment["PATH"] = shell.ask("printf %s \"$PATH\"") ?? "/usr/local/bin:/usr/bin:/bin"
    self.environment = environment
    self.shell = Mutex(shell)
  }

  deinit { shell.withLock { $0.end() } }

  private func isLocal(_ path: String) -> Bool {
    path == local.workspace || path.hasPrefix(local.workspace + "/")
  }

  private func ask(_ script: String) -> String? {
    if let known = answers.withLock({ $0[script] }) { return known }
    let answer = shell.withLock { $0.ask(script) }
    answers.withLock { $0[script] = answer }
    return answer
  }

  private static func quoted(_ text: String) -> String {
    "'" + text.replacing("'", with: "'\\''") + "'"
  }

  /// Without the ends of lines around it.
  private static func line(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).joined(separator: "\n")
  }

  func executable(named name: String) -> String? {
    let path = ask("command -v -- \(Self.quoted(name))").map(Self.line)
    return path.flatMap { $0.hasPrefix("/") ? $0 : nil }
  }

  func isExecutable(_ path: String) -> Bool {
    isLocal(path)
      ? local.isExecutable(path)
      : ask("[ -x \(Self.quoted(path)) ] && ! [ -d \(Self.quoted(path)) ]") != nil
  }

  func exists(_ path: String) -> Bool {
    isLocal(path) ? local.exists(path) : ask("[ -e \(Self.quoted(path)) ]") != nil
  }

  func realPath(_ path: String) -> String? {
    isLocal(path)
      ? local.realPath(path)
      : ask("readlink -e -- \(Self.quoted(path))").map(Self.line)
  }

  func read(_ path: String) -> String? {
    isLocal(path)
      ? local.read(path) : ask("[ -f \(Self.quoted(path)) ] && cat -- \(Self.quoted(path))")
  }

  func names(in folder: String) -> [String] {
    if isLocal(folder) { return local.names(in: folder) }
    return (ask("ls -1A -- \(Self.quoted(folder))") ?? "").split(separator: "\n").map(String.init)
  }

  func query(
    _ argv: [String], directory: String, environment: [String: String], watching: [String]
  ) -> String? {
    guard let tool = argv.first, !isLocal(tool) else { return nil }
    let variables = environment.sorted { $0.key < $1.key }
      .map { " \($0.key)=\(Self.quoted($0.value))" }.joined()
    // The workspace is not there, so neither is a folder of it.
    let move = isLocal(directory) ? "" : "cd \(Self.quoted(directory)) && "
    let words = argv.map(Self.quoted).joined(separator: " ")
    return ask("\(move)env\(variables) timeout 10 \(words)")
  }
}

/// A shell in a container, asked one question after the other.
private struct ContainerShell {
  private let conversation: HostConversation
  /// For starting the container, and for each answer.
  private static let timeAllowed = Duration.seconds(60)

  init(_ container: SandboxPolicy.Container, reads: [String]) throws(EngineError) {
    var arguments = [
      "run", "--rm", "--interactive", "--network", "none", "--read-only", "--cap-drop", "ALL",
      "--user", "\(container.user):\(container.group)", "--security-opt", "no-new-privileges",
      "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--pull", "never",
      "--tmpfs", "/tmp:rw,exec,mode=1777", "--env", "HOME=/tmp", "--entrypoint", "",
    ]
    for path in reads { arguments += ["--volume", "\(path):\(path):ro"] }
    arguments += SandboxPolicy.Container.labels + [container.image, "/bin/sh"]
    guard
      let conversation = HostConversation(
        [container.engine] + arguments, environment: container.environment)
    else { throw Self.unavailable(container, "\(container.engine) does not start") }
    self.conversation = conversation
    guard ask("true") == nil else { return }
    let words = conversation.end()
    throw Self.unavailable(
      container, words.split(separator: "\n").first.map(String.init) ?? "it did not answer")
  }

  private static func unavailable(
    _ container: SandboxPolicy.Container, _ words: String
  ) -> EngineError {
    EngineError(
      .sandbox, "the image \(container.image) cannot be run: \(words)",
      resolution: "See that the engine runs and has the image: "
        + "\(container.engine) image inspect \(container.image).")
  }

  /// The shell ends with its input, and the container with it.
  func end() { conversation.end() }

  /// What a script prints; nil when it fails.
  func ask(_ script: String) -> String? {
    let mark = Data("\n\(RunFolder.nonce()) ".utf8)
    let name = String(decoding: mark.dropFirst().dropLast(), as: UTF8.self)
    // A subshell of its own: no answer changes the shell.
    let text = "(\(script)) </dev/null 2>/dev/null; printf '\\n%s %s\\n' \(name) \"$?\"\n"
    let answer = conversation.ask(Data(text.utf8), until: .now + Self.timeAllowed) {
      $0.last == UInt8(ascii: "\n") && $0.firstRange(of: mark) != nil
    }
    guard let answer, let range = answer.firstRange(of: mark),
      answer[range.upperBound...].dropLast() == Data("0".utf8)
    else { return nil }
    return String(decoding: answer[..<range.lowerBound], as: UTF8.self)
  }
}
