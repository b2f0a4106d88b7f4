import ProctorModel
import Testing

@testable import ProctorEngine

@Suite struct ConfigurationTests {
  let adapters = ["cargo", "pytest"].map(AdapterID.init)

  func read(_ text: String) throws -> Configuration {
    try ConfigurationReader.read(text, adapters: adapters)
  }

  func complaint(_ text: String) -> String? {
    let error = #expect(throws: EngineError.self) { try read(text) }
    #expect(error?.code == .configuration)
    return error.map { "\($0.message) | \($0.resolution)" }
  }

  @Test func `every key of the contract is read`() throws {
    let configuration = try read(
      """
      [execution]
      enabled = false
      isolation = "bubblewrap"
      max_memory_mb = 256
      max_cpu_time_seconds = 7
      default_timeout_seconds = 8
      max_file_operations = 9
      max_network_requests = 10
      allow_filesystem_access = true
      allow_network_access = true
      require_user_confirmation = false
      [tests]
      timeout_seconds = 30
      max_memory_mb = 1000
      fetch = true
      [tests.pytest]
      root = "./py/"
      interpreter = "/usr/bin/python3"
      args = ["-x", "-q"]
      env = { A = "1" }
      [tests.cargo]
      enabled = false
      """)
    #expect(!configuration.execution.enabled)
    #expect(configuration.execution.isolation == .bubblewrap)
    #expect(configuration.execution.maxMemoryMB == 256)
    #expect(configuration.execution.maxCPUTimeSeconds == 7)
    #expect(configuration.execution.defaultTimeoutSeconds == 8)
    #expect(configuration.execution.maxFileOperations == 9)
    #expect(configuration.execution.maxNetworkRequests == 10)
    #expect(configuration.execution.allowFilesystemAccess)
    #expect(configuration.execution.allowNetworkAccess)
    #expect(!configuration.execution.requireUserConfirmation)
    #expect(configuration.tests.timeoutSeconds == 30)
    #expect(configuration.tests.resourceLimits.memoryMB == 1000)
    #expect(configuration.tests.fetch)
    let pytest = configuration.settings(for: adapters[1])
    #expect(pytest.root == "py")
    #expect(pytest.interpreter == "/usr/bin/python3")
    #expect(pytest.arguments == ["-x", "-q"])
    #expect(pytest.environment == ["A": "1"])
    #expect(configuration.settings(for: adapters[0]).enabled == false)
  }

  @Test func `an unknown key names key, file and line, and the nearest key`() {
    let text = complaint("[execution]\n\nmax_memory = 3\n")
    #expect(text?.contains("proctor.toml:3: unknown key execution.max_memory") == true)
    #expect(text?.contains("Did you mean max_memory_mb?") == true)
  }

  @Test func `the same key in another section is not mistaken for it`() {
    let text = complaint("[execution]\nmax_memory_mb = 3\n[tests]\nmax_memory_mb = \"x\"\n")
    #expect(text?.contains("proctor.toml:4: tests.max_memory_mb must be a whole number") == true)
  }

  @Test func `wrong values name what is expected`() {
    #expect(complaint("[execution]\nisolation = \"jail\"")?.contains("\"bubblewrap\"") == true)
    #expect(complaint("[tests.pytest]\nroot = \"../x\"")?.contains("inside the workspace") == true)
    #expect(complaint("[tests]\nfetch = 1")?.contains("true or false") == true)
    #expect(complaint("[tests.ruby]\n")?.contains("proctor.toml:1: unknown key tests.ruby") == true)
    #expect(complaint("execution = 3")?.contains("must be a table") == true)
  }

  @Test func `broken TOML names the line`() {
    #expect(complaint("[execution]\nenabled = = 1")?.contains("line 2") == true)
  }
}
