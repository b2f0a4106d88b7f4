import ProctorModel
import ProctorSandbox

/// The environment of a sandboxed command: an allow-list, never the host's whole.
struct GuestEnvironment {
  let host: [String: String]
  let backend: SandboxPolicy.Backend
  let home: String

  private static let allowed = ["LANG", "LC_*", "TZ", "CI"]
  /// What downloads need to reach a registry as the user's own tools do.
  private static let allowedForFetch = [
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "all_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
  ]
  private static let systemPath = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]

  /// Later sources win: base, host, toolchain, `proctor.toml`, the invocation.
  func variables(
    adapter: any Adapter, context: AdapterContext, invocation: Invocation
  ) -> [String: String] {
    var result = [
      "PATH": (context.toolchain.path + Self.systemPath).joined(separator: ":"),
      "HOME": backend == .none ? host["HOME"] ?? home : home,
      "LANG": "C.UTF-8", "TERM": "dumb", "TMPDIR": "/tmp",
    ]
    result.merge(
      Self.shown(host, to: adapter, for: invocation.purpose == .fetch ? Self.allowedForFetch : [])
    ) { $1 }
    let settings = invocation.purpose == .install ? [:] : context.settings.environment
    for more in [context.toolchain.environment, settings, invocation.environment] {
      result.merge(more) { $1 }
    }
    return result
  }

  /// What an adapter's commands see of the host's environment.
  static func shown(
    _ host: [String: String], to adapter: any Adapter, for more: [String] = []
  ) -> [String: String] {
    let names = allowed + adapter.environmentAllowList + more
    return host.filter { item in names.contains { matches(item.key, $0) } }
  }

  private static func matches(_ name: String, _ pattern: String) -> Bool {
    pattern.hasSuffix("*") ? name.hasPrefix(pattern.dropLast()) : name == pattern
  }
}
