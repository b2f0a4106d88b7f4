import FoundationEssentials
import ProctorAdapters
import ProctorModel

/// What earlier builds left, and whether it is what a build would make of the files as they are.
struct BuildStamp {
  /// With the stamp in its place.
  let build: Invocation
  private let kept: Invocation.Kept?
  /// nil when it cannot be told.
  private let stamp: String?
  private let files: WorkspaceStamp?

  init(_ build: Invocation, _ context: AdapterContext, _ runner: InvocationRunner) {
    guard let kept = build.kept else {
      self.build = build
      (self.kept, stamp, files) = (nil, nil, nil)
      return
    }
    let environment = runner.environment(of: build).map { "\($0.key)=\($0.value)" }.sorted()
    let given = build.files.sorted { $0.key < $1.key }.map {
      "\($0.key) \(Fingerprint.of(Array($0.value)))"
    }
    let caches = [context.cache, context.sharedCache]
    // Folders that are shown to builds are a part of what they build.
    let shown = runner.reads.map { WorkspaceStamp($0, without: caches, and: []).text }
    // The same version may be another compiler, and what is named may say something else.
    let tools = ([context.toolchain.main] + context.toolchain.tools.values.sorted())
      .map { WorkspaceStamp.identity(of: $0) }
    let words = build.argv + environment + given + tools + [context.toolchain.version ?? ""]
    let files = WorkspaceStamp(
      context.files, without: caches, and: words + shown.compactMap(\.self))
    stamp = shown.contains(nil) ? nil : files.text
    self.build = build.filling(stamp: stamp ?? "")
    (self.kept, self.files) = (kept, files)
  }

  /// Whether this very build was done before.
  var isKept: Bool {
    guard let stamp, let file = kept?.stampFile else { return false }
    return BuiltFile.read(file) == Data(stamp.utf8)
  }

  /// Removes what earlier builds left when a build tool that goes by dates may take it for what it is not, and
  /// remembers that a build begins now.
  /// - Parameter isCopy: whether the files are a copy's, whose dates are proctor's own.
  func begin(isCopy: Bool) throws(EngineError) {
    guard let kept, let files, !isCopy else { return }
    try StaleBuild(marker: kept.marker).discard([kept.folder], when: files.hasBackdated)
  }
}
