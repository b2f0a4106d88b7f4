import FoundationEssentials
import ProctorEngine
import ProctorModel
import Synchronization

/// Questions that clients were sent away with, each good for one answer about one call within five minutes.
///
/// A token is nothing but a random name for what is kept here: nobody can make one, and it says nothing.
final class ConfirmationTokens: Sendable {
  private static let lifetime = Duration.seconds(300)
  /// Those given first make room.
  private static let most = 8

  private struct Issued {
    let token: String
    let call: Call
    let question: ConfirmationQuestion
    let until: ContinuousClock.Instant
  }

  /// What was asked about, to the last byte of each argument.
  struct Call: Hashable, Sendable {
    private let tool: String
    private let arguments: [String: Data]

    init(tool: String, _ arguments: JSONFields?) {
      self.tool = tool
      self.arguments = Dictionary(
        (arguments?.names ?? []).map { ($0, JSONText.compacted(arguments?[$0] ?? Data())) },
        uniquingKeysWith: { first, _ in first })
    }
  }

  private let issued = Mutex<[Issued]>([])

  func issue(for call: Call, _ question: ConfirmationQuestion) -> String {
    var random = SystemRandomNumberGenerator()
    let token = (0..<4).map { _ in String(random.next(), radix: 16) }.joined(separator: "-")
    issued.withLock { issued in
      let now = ContinuousClock.now
      issued.removeAll { $0.until < now }
      if issued.count >= Self.most { issued.removeFirst() }
      issued.append(
        Issued(token: token, call: call, question: question, until: now + Self.lifetime))
    }
    return token
  }

  /// Whether it was given for this call and this question; it is good for nothing afterwards.
  func redeem(_ token: String, for call: Call, _ question: ConfirmationQuestion) -> Bool {
    issued.withLock { issued in
      guard let index = issued.firstIndex(where: { $0.token == token }) else { return false }
      let found = issued.remove(at: index)
      return found.until >= .now && found.call == call && found.question == question
    }
  }
}
