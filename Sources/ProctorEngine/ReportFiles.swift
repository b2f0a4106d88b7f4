public import FoundationEssentials
import Glibc
public import ProctorFormats
public import ProctorModel

/// The files that a run's report is written to besides its answer: `junit=report.xml`.
///
/// What can be known to go wrong is known before anything runs, and what stands there from an earlier run is gone once
/// this one begins: nobody takes it for this one's.
public struct ReportFiles: Sendable {
  /// The path that means standard output.
  public static let standardOutput = "-"

  /// What came of writing them.
  public struct Outcome: Sendable {
    /// What goes to standard output, ahead of the answer.
    public var stdout = Data()
    /// What was left out, in sentences.
    public var notes: [String] = []
    /// Why reports that were asked for are not there, in sentences; a run is not green with one.
    public var failures: [String] = []
  }

  private struct Target: Sendable {
    let renderer: any Renderer
    /// As it was given.
    let name: String
    /// Absolute; nil for standard output.
    let path: String?
  }

  private let targets: [Target]

  public var isEmpty: Bool { targets.isEmpty }
  public var usesStandardOutput: Bool { targets.contains { $0.path == nil } }

  /// - Parameters:
  ///   - values: each `FORMAT=PATH`.
  ///   - folder: absolute; paths are relative to it.
  /// - Throws: `EngineError` with code `usage` for an unknown format or a path that cannot be written to.
  public init(_ values: [String], in folder: String) throws(EngineError) {
    var (targets, taken): ([Target], [String: String]) = ([], [:])
    for value in values {
      let target = try Self.target(value, folder)
      let key = target.path.map(Self.settled) ?? Self.standardOutput
      if let other = taken.updateValue(value, forKey: key) {
        throw EngineError(
          .usage, "\(other) and \(value) are the same place",
          resolution: "Give each report a file of its own.")
      }
      targets.append(target)
    }
    self.targets = targets
  }

  private static func target(_ value: String, _ folder: String) throws(EngineError) -> Target {
    guard let equals = value.firstIndex(of: "="), equals != value.startIndex,
      value.index(after: equals) != value.endIndex
    else {
      throw EngineError(
        .usage, "\(value) is no FORMAT=PATH", resolution: "Say, for example, junit=report.xml.")
    }
    let renderer = try renderer(String(value[..<equals]))
    let path = String(value[value.index(after: equals)...])
    guard path != standardOutput else {
      guard renderer.isLineOriented else { throw notLines(renderer) }
      return Target(renderer: renderer, name: value, path: nil)
    }
    let absolute = path.hasPrefix("/") ? path : "\(folder)/\(path)"
    try check(absolute, as: value)
    return Target(renderer: renderer, name: value, path: absolute)
  }

  private static func renderer(_ format: String) throws(EngineError) -> any Renderer {
    if let renderer = RenderFormat.named(format) { return renderer }
    let names = RenderFormat.all.map(\.name)
    let nearest = Suggestions.nearest(to: format, among: names, most: 1)
      .map { "Did you mean \($0)? " }.joined()
    throw EngineError(
      .usage, "there is no report format \(format)",
      resolution: "\(nearest)The formats are \(names.joined(separator: ", ")).")
  }

  private static func notLines(_ renderer: any Renderer) -> EngineError {
    let names = RenderFormat.all.filter(\.isLineOriented).map(\.name)
    return EngineError(
      .usage, "\(renderer.name) cannot share standard output with the answer",
      resolution: "Name a file. Of \(names.joined(separator: ", ")) each line stands for itself.")
  }

  // MARK: paths

  private static func check(_ path: String, as name: String) throws(EngineError) {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw unusable(name, "is no file that can be replaced")
    }
    guard !path.hasSuffix("/") else { throw unusable(name, "names no file") }
    let parent = existingParent(of: path)
    guard FileSystem.isFolder(parent) else { throw unusable(name, "\(parent) is no folder") }
    guard access(parent, W_OK | X_OK) == 0 else {
      throw unusable(name, "\(parent) cannot be written to: \(String(cString: strerror(errno)))")
    }
  }

  /// The nearest that there is; the folders below it are made when the report is written.
  private static func existingParent(of path: String) -> String {
    var parent = path.parentFolder
    while parent.count > 1, !FileSystem.exists(parent) { parent = parent.parentFolder }
    return parent.isEmpty ? "/" : parent
  }

  /// One name for a place, links in what exists of its folders resolved.
  private static func settled(_ path: String) -> String {
    let parent = existingParent(of: path)
    let rest = path.dropFirst(parent.count).split(separator: "/").filter { $0 != "." }
    return ([FileSystem.realPath(parent) ?? parent] + rest.map(String.init)).joined(separator: "/")
  }

  private static func unusable(_ name: String, _ text: String) -> EngineError {
    EngineError(
      .usage, "the report \(name): \(text)", resolution: "Name a file that can be written.")
  }

  // MARK: writing

  /// Removes what stands there, as the run begins.
  public func clear() {
    for path in targets.compactMap(\.path) { unlink(path) }
  }

  /// Writes them all, each whole or not at all.
  /// - Parameter workspace: as the user names it; need not exist, for a run that failed because of that.
  public func write(_ report: Report, workspace: String) -> Outcome {
    var outcome = Outcome()
    let context = Self.context(
      report, workspace, sources: targets.contains { $0.renderer is HTMLRenderer })
    for target in targets {
      do throws(EngineError) {
        let rendering = try Self.rendered(report, context, target)
        if let path = target.path {
          if !path.parentFolder.isEmpty { try FileSystem.makeFolder(path.parentFolder) }
          try AtomicFile.write(rendering.data, to: path)
        } else {
          outcome.stdout += rendering.data
        }
        outcome.notes += rendering.notes.map { "the report \(target.name): \($0)" }
      } catch {
        outcome.failures.append("the report \(target.name) is not written: \(error.message)")
      }
    }
    return outcome
  }

  private static func rendered(
    _ report: Report, _ context: RenderContext, _ target: Target
  ) throws(EngineError) -> Rendering {
    do throws(RenderError) {
      return try target.renderer.render(report, context)
    } catch {
      throw EngineError(.storage, error.message, resolution: "Ask for another format.")
    }
  }

  /// - Parameter sources: whether the code around failures is wanted.
  private static func context(
    _ report: Report, _ workspace: String, sources: Bool
  ) -> RenderContext {
    let root = (try? Engine.root(of: workspace)) ?? workspace
    let repository = try? GitRepository.around(root)
    let changed = Set((report.change?.files ?? []).map(\.path))
    return RenderContext(
      workspace: root.split(separator: "/").last.map(String.init) ?? root,
      version: ProctorVersion.text,
      // What ran with a patch is no commit.
      commit: report.change == nil ? repository?.headCommit : nil,
      prefix: repository.map { $0.inner.isEmpty ? "" : $0.inner + "/" } ?? "",
      date: Date().timeIntervalSince1970, nonce: RunFolder.nonce(),
      sources: sources
        ? SourceReader(root: root).excerpts(
          around: report.places, since: report.beginning?.date, excluding: changed) : [])
  }
}
