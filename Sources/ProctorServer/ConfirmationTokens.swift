import FoundationEssentials
import ProctorEngine
import ProctorModel
import Synchronization

/// Questions that clients were sent away with, each good for one answer about one call within five minutes.
///
/// A token is nothing but a random name for what is kept here: nobody can make one, and it says nothing.
final class ConfirmationTokens: Sendable {
  static let lifetime = Duration.seconds(300)

  private struct Issued {
    let token: String
    let call: Call
    let question: ConfirmationQuestion
    let until: ContinuousClock.Instant
    /// nil where nobody has answered by another way than coming back.
    var isAllowed: Bool?
  }

  /// A question that waits for an answer.
  struct Open: Sendable {
    let token: String
    /// By its name in the service.
    let workspace: String
    let operation: String
    let question: ConfirmationQuestion
    let secondsLeft: Int
  }

  /// What became of a question that was put to somebody else than who comes back.
  enum Decision: Sendable {
    case waiting, allowed, declined
    /// There is no such question about this call, not any more.
    case unknown
  }

  /// Questions that are kept.
  private let most: Int
  /// Those given first make room.

  /// Otherwise nothing more is asked when there are that many.
  private let makesRoom: Bool

  init(most: Int = 8, makesRoom: Bool = true) {
    (self.most, self.makesRoom) = (most, makesRoom)
  }

  /// What was asked about, to the last byte of each argument.
  struct Call: Hashable, Sendable {
    /// By its name in the service.
    let workspace: String
    let operation: String
    private let arguments: [String: Data]

    init(_ operation: String, in workspace: String, _ arguments: JSONFields?) {
      (self.workspace, self.operation) = (workspace, operation)
      self.arguments = Dictionary(
        (arguments?.names ?? []).map { ($0, JSONText.compacted(arguments?[$0] ?? Data())) },
        uniquingKeysWith: { first, _ in first })
    }
  }

  private let issued = Mutex<[Issued]>([])

  /// Sends away with a token.
  func asking(for call: Call, _ question: ConfirmationQuestion) -> ConfirmationReply {
    if let token = issue(for: call, question) { return .askedLater(token) }
    return .refused(
      FunctionFailure(
        .refused, "\(most) questions wait for the user already: have them answered first"))
  }

  /// The same token for the same question, as long as nobody has answered it; nil when there are too many.
  private func issue(for call: Call, _ question: ConfirmationQuestion) -> String? {
    var random = SystemRandomNumberGenerator()
    let token = (0..<4).map { _ in String(random.next(), radix: 16) }.joined(separator: "-")
    return issued.withLock { issued in
      let now = ContinuousClock.now
      issued.removeAll { $0.until < now }
      let same = issued.first { $0.call == call && $0.question == question && $0.isAllowed == nil }
      if let same { return same.token }
      if issued.count >= most {
        guard makesRoom else { return nil }
        issued.removeFirst()
      }
      issued.append(
        Issued(token: token, call: call, question: question, until: now + Self.lifetime))
      return token
    }
  }

  /// What was decided about this call and this question, whoever comes back with it; nil where it is not asked.
  func token(for call: Call, _ question: ConfirmationQuestion) -> String? {
    issued.withLock { issued in
      issued.first { $0.call == call && $0.question == question && $0.until >= .now }?.token
    }
  }

  /// Whether it was given for this call and this question; it is good for nothing afterwards.
  func redeem(_ token: String, for call: Call, _ question: ConfirmationQuestion) -> Bool {
    issued.withLock { issued in
      guard let index = issued.firstIndex(where: { $0.token == token }) else { return false }
      let found = issued.remove(at: index)
      return found.until >= .now && found.call == call && found.question == question
    }
  }

  /// Those that nobody has answered, the oldest first.
  var open: [Open] {
    issued.withLock { issued in
      issued.filter { $0.isAllowed == nil && $0.until >= .now }.map {
        Open(
          token: $0.token, workspace: $0.call.workspace, operation: $0.call.operation,
          question: $0.question,
          secondsLeft: Int(ContinuousClock.now.duration(to: $0.until) / .seconds(1)))
      }
    }
  }

  /// Answers in the user's name.
  /// - Parameter remembers: the same is not asked about again.
  /// - Returns: whether there was such a question without an answer.
  func decide(_ token: String, isAllowed: Bool, remembers: Bool) -> Bool {
    issued.withLock { issued in
      let index = issued.firstIndex {
        $0.token == token && $0.isAllowed == nil && $0.until >= .now
      }
      guard let index else { return false }
      issued[index].isAllowed = isAllowed
      if isAllowed, remembers { issued[index].question.remember() }
      return true
    }
  }

  /// What was decided about this call and this question; a decision is good for one call.
  func decision(
    _ token: String, on call: Call, _ question: ConfirmationQuestion
  ) -> Decision {
    issued.withLock { issued in
      let index = issued.firstIndex {
        $0.token == token && $0.until >= .now && $0.call == call && $0.question == question
      }
      guard let index else { return .unknown }
      guard let isAllowed = issued[index].isAllowed else { return .waiting }
      issued.remove(at: index)
      return isAllowed ? .allowed : .declined
    }
  }
}
