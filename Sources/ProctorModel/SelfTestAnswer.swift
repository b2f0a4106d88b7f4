/// What a backend did against the attacks of the self-test.
public struct SelfTestAnswer: Sendable, Codable {
  public enum Outcome: String, Sendable, Codable {
    case blocked
    case gotThrough = "got_through"
    /// Without the sandbox it does not succeed here either, or the backend refuses to run what it cannot
    /// limit.
    case notApplicable = "not_applicable"
  }

  /// An attack whose outcome is still to be told.
  public struct Tried: Sendable {
    public let name: String
    public let category: String

    public init(name: String, category: String) {
      self.name = name
      self.category = category
    }

    /// - Parameter control: whether it succeeded without the sandbox.
    public func ended(_ outcome: Outcome, control: Bool, _ detail: String?) -> Attack {
      Attack(
        name: name, category: category, outcome: outcome, controlSucceeded: control, detail: detail)
    }
  }

  public struct Attack: Sendable, Codable {
    public let name: String
    /// `files`, `inheritance`, `processes`, `namespaces`, `kernel`, `network`, `limits`, `staying`; a language for the
    /// runtimes of functions.
    public let category: String
    public let outcome: Outcome
    /// Whether the same attack succeeded without a sandbox.
    public let controlSucceeded: Bool
    /// Why it is not applicable, or what stopped it, when that is known.
    public let detail: String?

    public init(
      name: String, category: String, outcome: Outcome, controlSucceeded: Bool,
      detail: String? = nil
    ) {
      self.name = name
      self.category = category
      self.outcome = outcome
      self.controlSucceeded = controlSucceeded
      self.detail = detail
    }

    private enum CodingKeys: String, CodingKey {
      case name, category, outcome
      case controlSucceeded = "control_succeeded"
      case detail
    }
  }

  public let backend: String
  /// The walls that stood.
  public let layers: [String]
  public let attacks: [Attack]
  /// False when it was interrupted: what was not tried did not hold.
  public let complete: Bool

  public init(backend: String, layers: [String], attacks: [Attack], complete: Bool) {
    self.backend = backend
    self.layers = layers
    self.attacks = attacks
    self.complete = complete
  }

  public func count(_ outcome: Outcome) -> Int { attacks.count { $0.outcome == outcome } }
}
