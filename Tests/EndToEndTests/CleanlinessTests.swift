import Foundation
import Testing

/// Proctor killed at any moment leaves nothing behind.
@Suite(.serialized) struct CleanlinessTests {
  static let runs = 1000
  static let atOnce = 4

  @Test func `a thousand runs killed at random moments leave nothing`() async throws {
    let folder = try TemporaryFolder()
    let workspace = "\(folder.path)/workspace"
    // A test that starts others, one of them in a session of its own.
    try folder.write(
      """
      print "1..1\\n";
      system("setsid sleep 1000 >/dev/null 2>&1 &");
      select(undef, undef, undef, 0.02);
      open(my $file, ">", "file");
      print "ok 1\\n";
      """, to: "workspace/t/a.t")
    let cache = "\(folder.path)/cache"
    let mounts = try Self.mounts()
    @Sendable func process() -> ProctorProcess {
      var process = ProctorProcess(["run"], in: workspace)
      process.environment["PROCTOR_CACHE_DIR"] = cache
      return process
    }
    let first = try process().run()
    #expect(first.status == 0, "\(first.text)\(first.stderr)")
    let killed = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<Self.atOnce {
        group.addTask { await Self.kill(Self.runs / Self.atOnce, process) }
      }
      return await group.reduce(0, +)
    }
    #expect(killed > Self.runs / 2)
    #expect(try process().run().status == 0)
    // What was killed last may take a moment to be gone.
    try await Task.sleep(for: .milliseconds(300))
    #expect(Self.processes(of: folder.path).isEmpty)
    #expect(try Self.mounts() == mounts)
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(cache)/runs").isEmpty)
    #expect(Self.controlGroups().isEmpty)
  }

  /// - Returns: how many were killed before they ended by themselves.
  private static func kill(
    _ count: Int, _ process: @Sendable () -> ProctorProcess
  ) async -> Int {
    var killed = 0
    for _ in 0..<count {
      guard let running = try? process().start() else { continue }
      try? await Task.sleep(for: .microseconds(Int.random(in: 0...120_000)))
      Foundation.kill(running.process.processIdentifier, SIGKILL)
      if let outcome = try? running.wait(), outcome.status == 128 + SIGKILL { killed += 1 }
    }
    return killed
  }

  /// Processes of the workspace: by their folder, for their command line may say nothing.
  private static func processes(of folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.filter { Int($0) != nil }.filter { pid in
      let manager = FileManager.default
      let directory = try? manager.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
      return directory?.hasPrefix(folder) == true
    }
  }

  private static func mounts() throws -> String {
    try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)
  }

  /// Groups of proctors that are gone.
  private static func controlGroups() -> [String] {
    ["", "/memory", "/pids", "/cpuacct", "/unified"].flatMap { name -> [String] in
      let folder = "/sys/fs/cgroup\(name)"
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return names.filter { $0.hasPrefix("proctor-") }.map { "\(folder)/\($0)" }
    }.filter { group in
      let owner = group.split(separator: "-").dropLast().last.flatMap { pid_t($0) } ?? 0
      return Foundation.kill(owner, 0) != 0
    }
  }
}
