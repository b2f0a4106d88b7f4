/// What `proctor serve` is told at its start.
public struct HTTPSettings: Sendable {
  /// Where to listen: an address or a name.
  public var host = "127.0.0.1"
  /// 0 for any that is free.
  public var port = 8420
  /// What callers must show; nil lets any program on this machine call, and is refused for other addresses.
  public var token: String?
  /// What whoever answers questions in the user's name must show.
  public var confirmationToken: String
  /// Nobody knows it yet.
  public var isConfirmationTokenShown = false
  /// Names by which clients may call this machine, besides `localhost` and addresses.
  public var hosts: [String] = []
  /// Web pages of other origins that may call: `https://ci.example`.
  public var origins: [String] = []
  /// Code runs without asking anybody.
  public var allowsAhead = false
  /// Calls that are worked on at the same time, at least 1.
  public var mostRunning = 4
  /// Calls that wait for that.
  public var mostWaiting = 64
  /// Seconds that calls have to end when the service is told to stop.
  public var grace = 10.0

  public init(confirmationToken: String) { self.confirmationToken = confirmationToken }

  /// Whether only programs on this machine can connect.
  public var isLoopback: Bool {
    host == "localhost" || host == "::1" || host.hasPrefix("127.") && HTTPAccess.isAddress(host)
  }
}
