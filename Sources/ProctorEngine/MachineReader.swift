import FoundationEssentials
import Glibc
import ProctorModel

/// Reads what kind of machine this is.
enum MachineReader {
  static func facts() -> MachineFacts {
    var system = utsname()
    uname(&system)
    let architecture = withUnsafeBytes(of: &system.machine) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    let load = text("/proc/loadavg").split(separator: " ").first.flatMap { Double($0) }
    return MachineFacts(
      processor: processor(), processors: ProcessInfo.processInfo.activeProcessorCount,
      architecture: architecture, load: load)
  }

  /// `model name : ...` on x86; other machines have it under other names, or not at all.
  private static func processor() -> String? {
    for line in text("/proc/cpuinfo").split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":"),
        ["model name", "Model", "cpu model"].contains(where: line.hasPrefix)
      else { continue }
      return String(line[line.index(after: colon)...].trimmingPrefix(while: \.isWhitespace))
    }
    return nil
  }

  private static func text(_ path: String) -> String {
    FileSystem.read(path, limit: 1 << 20).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}
