import Foundation
import Testing

/// Shards on clusters; Tests/Support/slurm.py starts a real one.
@Suite(.serialized) struct ClusterTests {
  // Slurm's daemons and munge run as users of their own.
  @Test(.enabled(if: getuid() == 0, "starting a Slurm needs root"))
  func `a run on Slurm has one verdict, also when a node dies`() throws {
    try PythonScript(name: "slurm.py").check()
  }

  @Test func `the manifest for Kubernetes is one`() throws {
    try PythonScript(name: "kubernetes.py", environment: "kubernetes").check()
  }
}
