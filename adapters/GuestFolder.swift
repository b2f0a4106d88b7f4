import FoundationEssentials
import Glibc
import ProctorModel

/// Files of proctor's own that go into a guest folder; kept by who has them, so that each call need not read them.
struct GuestFiles {
  let contents: [String: [UInt8]]
  let fingerprint: String

  init(_ contents: [String: [UInt8]]) {
    self.contents = contents
    fingerprint = Fingerprint.of(
      contents.sorted { $0.key < $1.key }.reduce(into: []) { $0 += $1.value })
  }
}

/// Proctor's code inside a runner, at a path that does not change from run to run: runners keep what
/// they compiled by its path, and jest by its whole configuration.
struct GuestFolder {
  let context: AdapterContext
  let name: String
  private let inner: String
  let files: GuestFiles
  /// Where such folders lie, for all projects or for this one.
  private let place: String
  let folder: String

  /// - Parameters:
  ///   - name: `jest`, `pytest`.
  ///   - inner: where in the folder the files lie; empty for the folder itself.
  ///   - isOwn: for this project alone: what tools of the project write beside the files.
  init(
    context: AdapterContext, name: String, inner: String = "", files: GuestFiles,
    isOwn: Bool = false
  ) {
    self.context = context
    self.name = name
    self.inner = inner
    self.files = files
    place = isOwn ? "\(context.cache)/guest" : context.guestFolder
    folder = "\(place)/\(name)-\(files.fingerprint)"
  }

  func path(_ file: String) -> String {
    inner.isEmpty ? "\(folder)/\(file)" : "\(folder)/\(inner)/\(file)"
  }

  /// Nothing when the files are there.
  var installation: [Invocation] {
    guard files.contents.keys.contains(where: { access(path($0), R_OK) != 0 }) else { return [] }
    return [
      Invocation(
        purpose: .install, title: "laying out proctor's part of \(name)",
        argv: MakingScript.argv(#"mkdir -p "$made/$2" && cp "$1"/* "$made/$2""#) + [
          folder, Invocation.filesPlaceholder, inner,
        ], directory: "/", mounts: [.writable(place)],
        files: files.contents.mapValues { Data($0) })
    ]
  }

  /// Has Python compile a file of the folder, beside it, once for each version.
  func compilation(_ file: String, python: Toolchain) -> [Invocation] {
    let mark = path(
      "\(file).\(Fingerprint.of(python.main + "\0" + (python.version ?? "")))")
    guard access(mark, R_OK) != 0 else { return [] }
    return [
      Invocation(
        purpose: .build, title: "compiling proctor's part of \(name)",
        argv: [
          "/bin/sh", "-c", #""$0" -m compileall -q "$1" && : > "$2""#, python.main, path(file),
          mark,
        ], directory: "/", mounts: [.writable(place)])
    ]
  }

  /// A run of a piece of code by a guest program of the folder.
  func run(
    _ piece: CodePiece, argv: [String], environment: [String: String] = [:]
  ) -> Invocation {
    Invocation(
      purpose: .call, title: "running the piece", argv: argv,
      environment: reporting.merging(piece.environment) { $1 }.merging(environment) { $1 },
      directory: piece.folder.work, channel: .frames, mounts: [.readOnly(place)] + piece.mounts,
      files: [Self.requestName: piece.request(root: context.projectDirectory)])
  }

  private static let requestName = "request.json"

  /// Where a guest program finds what it is asked for, and where it answers.
  private var reporting: [String: String] {
    [
      "PROCTOR_REQUEST": "\(Invocation.filesPlaceholder)/\(Self.requestName)",
      "PROCTOR_CHANNEL": Invocation.channelPlaceholder,
      "PROCTOR_NONCE": Invocation.noncePlaceholder,
    ]
  }

  /// A call by a guest program of the folder, which reads its request before anything else.
  /// - Parameters:
  ///   - waiting: added to its environment when it is started before the request is known.
  ///   - waitingForAny: the same when it is to wait for a call of any file.
  ///   - endsWithAnswer: whether it has flushed all output when it says that the function returned, and runs nothing
  ///     after it.
  func call(
    _ call: FunctionCall, argv: [String], mounts: [Invocation.Mount] = [],
    environment: [String: String] = [:], waiting: [String: String] = [:],
    waitingForAny: [String: String]? = nil, endsWithAnswer: Bool = false
  ) -> Invocation {
    Invocation(
      purpose: .call, title: "calling \(call.function)", argv: argv,
      environment: environment.merging(reporting) { $1 }, directory: context.projectDirectory,
      channel: .frames,
      mounts: [.readOnly(place)] + mounts,
      files: [Self.requestName: call.request(root: context.projectDirectory)],
      ahead: call.timing == nil
        ? Invocation.Ahead(
          request: Self.requestName, environment: waiting, unspecific: waitingForAny,
          endsWithAnswer: endsWithAnswer) : nil)
  }
}
