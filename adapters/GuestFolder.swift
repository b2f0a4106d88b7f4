import FoundationEssentials
import Glibc
import ProctorModel

/// Proctor's code inside a runner, at a path that does not change from run to run: runners keep what
/// they compiled by its path, and jest by its whole configuration.
struct GuestFolder {
  let context: AdapterContext
  /// `jest`, `pytest`.
  let name: String
  /// Where in the folder the files lie; empty for the folder itself.
  var inner = ""
  let files: [String: [UInt8]]

  var folder: String {
    let content = files.sorted { $0.key < $1.key }.flatMap(\.value)
    return "\(context.guestFolder)/\(name)-\(Fingerprint.of(content))"
  }

  func path(_ file: String) -> String {
    inner.isEmpty ? "\(folder)/\(file)" : "\(folder)/\(inner)/\(file)"
  }

  /// Nothing when the files are there.
  var installation: [Invocation] {
    guard files.keys.contains(where: { access(path($0), R_OK) != 0 }) else { return [] }
    return [
      Invocation(
        purpose: .install, title: "laying out proctor's part of \(name)",
        argv: [
          "/bin/sh", "-c",
          #"""
          new="$1.$$"
          mkdir -p "$new/$3" && cp "$2"/* "$new/$3" &&
            { mv -T "$new" "$1" 2>/dev/null || { [ -d "$1" ] && rm -r "$new"; }; }
          """#, "sh", folder, Invocation.filesPlaceholder, inner,
        ], directory: "/", mounts: [.writable(context.guestFolder)],
        files: files.mapValues { Data($0) })
    ]
  }

  /// Where Python keeps what it compiled of the folder: the interpreter may be the workspace's own.
  private var bytecode: String { "\(context.cache)/guest-bytecode" }

  /// Has Python compile a file of the folder, once for each version.
  func compilation(_ file: String, python: Toolchain) -> [Invocation] {
    let key = Fingerprint.of(
      [python.main, python.version ?? "", path(file)].joined(separator: "\0"))
    let mark = "\(bytecode)/compiled-\(key)"
    guard access(mark, R_OK) != 0 else { return [] }
    return [
      Invocation(
        purpose: .build, title: "compiling proctor's part of \(name)",
        argv: [
          "/bin/sh", "-c", #""$0" -m compileall -q "$1" && : > "$2""#, python.main, path(file),
          mark,
        ], environment: ["PYTHONPYCACHEPREFIX": bytecode], directory: "/",
        mounts: [.writable(bytecode), .readOnly(context.guestFolder)])
    ]
  }

  /// A call by a guest program of the folder in Python.
  func pythonCall(_ call: FunctionCall, options: [String], program: String) -> Invocation {
    self.call(
      call,
      argv: [context.toolchain.main] + options
        + ["-B", "-X", "utf8", "-X", "pycache_prefix=\(bytecode)", path(program)],
      mounts: [.readOnly(bytecode)])
  }

  /// A call by a guest program of the folder.
  func call(
    _ call: FunctionCall, argv: [String], mounts: [Invocation.Mount] = [],
    environment: [String: String] = [:]
  ) -> Invocation {
    Invocation(
      purpose: .call, title: "calling \(call.function)", argv: argv,
      environment: environment.merging([
        "PROCTOR_REQUEST": "\(Invocation.filesPlaceholder)/request.json",
        "PROCTOR_CHANNEL": Invocation.channelPlaceholder,
        "PROCTOR_NONCE": Invocation.noncePlaceholder,
      ]) { $1 }, directory: context.projectDirectory, channel: .frames,
      mounts: [.readOnly(context.guestFolder)] + mounts,
      files: ["request.json": call.request(root: context.projectDirectory)])
  }
}
