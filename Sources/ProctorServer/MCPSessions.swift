import Synchronization

/// The sessions of clients that said `initialize` over HTTP, by the names that they were given.
final class MCPSessions: Sendable {
  /// The one that was used longest ago makes room.
  private static let most = 64

  private let sessions = Mutex<[(id: String, workspace: String, session: MCPSession)]>([])

  func add(_ session: MCPSession, of workspace: String) -> String {
    var random = SystemRandomNumberGenerator()
    let id = (0..<2).map { _ in String(random.next(), radix: 16) }.joined(separator: "-")
    sessions.withLock { sessions in
      if sessions.count >= Self.most { sessions.removeFirst() }
      sessions.append((id, workspace, session))
    }
    return id
  }

  func session(_ id: String, of workspace: String) -> MCPSession? {
    sessions.withLock { sessions in
      let index = sessions.firstIndex { $0.id == id && $0.workspace == workspace }
      guard let index else { return nil }
      let found = sessions.remove(at: index)
      sessions.append(found)
      return found.session
    }
  }

  /// - Returns: whether there was one.
  func remove(_ id: String) -> Bool {
    sessions.withLock { sessions in
      let count = sessions.count
      sessions.removeAll { $0.id == id }
      return sessions.count < count
    }
  }
}
