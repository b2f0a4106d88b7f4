import Hummingbird
import NIOCore

/// What is known of a request besides itself.
struct ServiceContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  /// Where it came from.
  let address: String

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    address = source.channel.remoteAddress?.ipAddress ?? "an unknown address"
  }
}
