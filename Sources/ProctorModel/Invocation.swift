public import FoundationEssentials

/// A command that an adapter wants run, and everything the engine must know to run it.
///
/// Adapters build invocations; the engine puts them into a sandbox. Strings in `argv`,
/// `environment` and `files` may hold the placeholders below.
public struct Invocation: Sendable {
  public enum Purpose: String, Sendable, Codable {
    /// Download dependencies: the only purpose that gets the network, and never runs test code.
    case fetch
    /// Lay out or compile proctor's own guest code: nothing of the workspace's settings applies.
    case install
    case build
    case list
    case run
    /// Call one function.
    case call
  }

  /// How the command reports, apart from its exit status and output.
  public enum Channel: Sendable {
    /// Only through stdout and stderr.
    case none
    /// Proctor's own guest code writes sealed frames (see `ChannelFrame`).
    case frames
    /// A foreign tool writes plain lines to the private path `{{channel}}`.
    case lines
  }

  /// A folder that the command may use besides the workspace, at the same path inside.
  public enum Mount: Hashable, Sendable {
    case readOnly(String)
    /// Created when missing; what is written stays. Only inside the cache folder.
    case writable(String)
    /// As `writable`, and nothing that is done in it counts as a file operation: for what belongs to this one
    /// command.
    case scratch(String)
    /// May be written, but what is written is gone afterwards. Only inside the cache folder.
    case copyOnWrite(String)
    /// Seen at the path `upper` (inside the cache folder), where writes are kept; reads fall through to
    /// `lower`. Only a fetch may write.
    case layered(lower: String, upper: String)
  }

  /// What a program needs to be started before its request is known.
  public struct Ahead: Sendable {
    /// The one of `files` that it reads before it looks at anything of the user's, once and to its end.
    public let request: String
    /// Added to the environment of a program that will wait.
    public let environment: [String: String]
    /// The same for one that will wait for a call of any file; nil where `environment` is for any already.
    public let unspecific: [String: String]?
    /// Whether it has flushed all output when it says that the function returned, and runs nothing after it.
    public let endsWithAnswer: Bool

    public init(
      request: String, environment: [String: String] = [:], unspecific: [String: String]? = nil,
      endsWithAnswer: Bool = false
    ) {
      self.request = request
      self.environment = environment
      self.unspecific = unspecific
      self.endsWithAnswer = endsWithAnswer
    }
  }

  /// What a build leaves for later ones of the same sources.
  public struct Kept: Sendable {
    /// All that such builds left, absolute, in the cache folder. It is removed when it may be out of date in a way
    /// that the build tool does not see.
    public let folder: String
    /// An empty file whose date says when the last of them began, absolute, where builds cannot write.
    public let marker: String
    /// Where `{{stamp}}` is left by a build that need not be done again while that is the same, absolute; nil for one
    /// that always asks its tool.
    public let stampFile: String?

    public init(folder: String, marker: String, stampFile: String? = nil) {
      self.folder = folder
      self.marker = marker
      self.stampFile = stampFile
    }
  }

  public let purpose: Purpose
  /// What runs, for the live view: `building`, `tests of ws-core`.
  public let title: String
  public let argv: [String]
  /// Added to the engine's base environment.
  public let environment: [String: String]
  /// Absolute.
  public let directory: String
  public let channel: Channel
  public let mounts: [Mount]
  /// Small files laid into the folder `{{files}}`, read-only for the command: guest code, selections.
  public let files: [String: Data]
  /// What the adapter needs to recognise this invocation again when decoding it.
  public let product: String?
  /// The tests it has to run; nil for other purposes, or when it runs all there are.
  public let cases: [TestCase]?
  /// Whether it announces the tests it runs itself, because no listing before it did.
  public let listsItself: Bool
  /// Whether what it writes into the workspace stays: only for fetching into the project's own
  /// dependency folder.
  public let writesWorkspace: Bool
  /// nil for a command that cannot wait for what it is asked.
  public let ahead: Ahead?
  /// What a build keeps for the next one; nil when it looks after that itself.
  public let kept: Kept?

  public init(
    purpose: Purpose, title: String, argv: [String], environment: [String: String] = [:],
    directory: String, channel: Channel = .none, mounts: [Mount] = [], files: [String: Data] = [:],
    product: String? = nil, cases: [TestCase]? = nil, listsItself: Bool = false,
    writesWorkspace: Bool = false, ahead: Ahead? = nil, kept: Kept? = nil
  ) {
    self.purpose = purpose
    self.title = title
    self.argv = argv
    self.environment = environment
    self.directory = directory
    self.channel = channel
    self.mounts = mounts
    self.files = files
    self.product = product
    self.cases = cases
    self.listsItself = listsItself
    self.writesWorkspace = writesWorkspace
    self.ahead = ahead
    self.kept = kept
  }

  /// Replaced by the path of the report channel (a named pipe), unguessable.
  public static let channelPlaceholder = "{{channel}}"
  /// Replaced by this invocation's nonce, 32 hexadecimal digits.
  public static let noncePlaceholder = "{{nonce}}"
  /// Replaced by the path of the folder that holds `files`.
  public static let filesPlaceholder = "{{files}}"
  /// Replaced by the path of an empty folder that the command may write to and that is gone after it.
  public static let outputPlaceholder = "{{output}}"
  /// In `argv`: replaced by what tells the workspace's files, the command and its environment from any others, or by
  /// nothing when that cannot be told.
  public static let stampPlaceholder = "{{stamp}}"
}

extension Invocation {
  /// The same with the placeholder for a stamp filled in.
  public func filling(stamp: String) -> Invocation {
    Invocation(
      purpose: purpose, title: title, argv: argv.map { $0 == Self.stampPlaceholder ? stamp : $0 },
      environment: environment, directory: directory, channel: channel, mounts: mounts,
      files: files, product: product, cases: cases, listsItself: listsItself,
      writesWorkspace: writesWorkspace, ahead: ahead, kept: kept)
  }
}

/// An invocation that ran to its end, for adapters that read a build's whole output at once.
public struct FinishedInvocation: Sendable {
  public let invocation: Invocation
  public let status: ExitStatus
  /// Bounded: see `omittedBytes` of the captures.
  public let stdout: Data
  public let stderr: Data

  public init(invocation: Invocation, status: ExitStatus, stdout: Data, stderr: Data) {
    self.invocation = invocation
    self.status = status
    self.stdout = stdout
    self.stderr = stderr
  }
}
