public import FoundationEssentials
import Glibc
public import ProctorFormats

/// A report file to be looked at for what platforms would lose of it.
public struct LintedFile: Sendable {
  /// Megabytes that are read.
  public static let limitMB = 1024

  private let name: String

  public init(_ name: String) { self.name = name }

  /// - Parameter platforms: nil for those that read the format.
  /// - Throws: `EngineError` with code `usage` for what cannot be read or is no report.
  public func lint(for platforms: [LintPlatform]?) throws(EngineError) -> LintAnswer {
    let data = try data()
    guard !data.isEmpty else { throw unusable("is empty") }
    guard let answer = ReportLint.examine(data, name: name, platforms: platforms) else {
      throw unusable("is no report of a known format")
    }
    return answer
  }

  private func data() throws(EngineError) -> Data {
    var status = stat()
    guard stat(name, &status) == 0 else {
      throw unusable("cannot be read: \(String(cString: strerror(errno)))")
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw unusable("is no file") }
    guard status.st_size <= Self.limitMB << 20 else {
      throw unusable("is larger than \(Self.limitMB) MB")
    }
    guard let data = FileSystem.read(name, limit: Self.limitMB << 20) else {
      throw unusable("cannot be read")
    }
    return data
  }

  private func unusable(_ text: String) -> EngineError {
    EngineError(
      .usage, "\(name) \(text)",
      resolution: "Give JUnit XML, CTRF, SARIF, a code quality report or TAP.")
  }
}
