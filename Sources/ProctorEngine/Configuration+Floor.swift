import ProctorModel
import ProctorSandbox

extension Configuration {
  /// These settings where they are no laxer than others, else the others.
  ///
  /// Who is to be confirmed may be able to write `proctor.toml`: for whom a session was started, it stays as strict as
  /// it was then.
  func noLaxer(than first: Configuration) -> Configuration {
    var result = self
    result.audit.isRequired = audit.isRequired || first.audit.isRequired
    result.execution = execution.noLaxer(than: first.execution)
    result.validation = validation.noLaxer(than: first.validation)
    result.tests.allowNetworkAccess = tests.allowNetworkAccess && first.tests.allowNetworkAccess
    result.tests.fetch = tests.fetch && first.tests.fetch
    result.tests.retries = min(tests.retries, first.tests.retries)
    result.tests.flaky = tests.flaky.noLaxer(than: first.tests.flaky)
    result.tests.read = tests.read.filter(first.tests.read.contains)
    if first.tests.workspace != .writable, tests.workspace == .writable {
      result.tests.workspace = first.tests.workspace
    }
    return result
  }
}

extension Configuration.Execution {
  fileprivate func noLaxer(than first: Self) -> Self {
    var result = self
    result.enabled = enabled && first.enabled
    result.requireUserConfirmation = requireUserConfirmation || first.requireUserConfirmation
    if isolation == .none { result.isolation = first.isolation }
    result.allowFilesystemAccess = allowFilesystemAccess && first.allowFilesystemAccess
    result.allowNetworkAccess = allowNetworkAccess && first.allowNetworkAccess
    result.maxFileOperations = min(maxFileOperations, first.maxFileOperations)
    result.maxNetworkRequests = min(maxNetworkRequests, first.maxNetworkRequests)
    result.maxMemoryMB = min(maxMemoryMB, first.maxMemoryMB)
    result.maxCPUTimeSeconds = min(maxCPUTimeSeconds, first.maxCPUTimeSeconds)
    // A limit that is named holds where what it limits is allowed.
    result.named = named.union(first.named)
    return result
  }
}

extension Configuration.Validation {
  fileprivate func noLaxer(than first: Self) -> Self {
    var result = self
    result.allowModules = allowModules.filter(first.allowModules.contains)
    result.denyModules = denyModules + first.denyModules.filter { !denyModules.contains($0) }
    result.confirmAt = [confirmAt, first.confirmAt].compactMap(\.self).min()
    return result
  }
}
