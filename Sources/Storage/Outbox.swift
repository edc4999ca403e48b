// Reading the outbox for the relay (design §3): a user's events in their order, what a connection
// needs to know when it opens, and who has something new.

import Calls
import MySQL
import System

/// An event as it is kept for 24 hours.
package struct StoredEvent: Sendable, Equatable {
  package let userId: String
  /// Counts up per user without gaps, in the order of the commits.
  package let eventId: Int64
  package let type: String
  /// nil where the event is about no call.
  package let callId: String?
  /// The frame's `data`: a JSON object, enumerations in lower case.
  package let data: [UInt8]
  package let createdAt: Timestamp
  /// Sockets of this device, and this connection, are spared the event.
  package let originDevice: String?
  package let originConnection: String?

  package init(
    userId: String, eventId: Int64, type: String, callId: String?, data: [UInt8],
    createdAt: Timestamp, originDevice: String? = nil, originConnection: String? = nil
  ) {
    (self.userId, self.eventId, self.type, self.callId) = (userId, eventId, type, callId)
    (self.data, self.createdAt) = (data, createdAt)
    (self.originDevice, self.originConnection) = (originDevice, originConnection)
  }
}

/// What is true for a user at one moment: all that `connected` tells.
package struct UserSnapshot: Sendable {
  /// The newest event; 0 where there never was one.
  package let lastEventId: Int64
  /// The oldest event that is still kept, if any.
  package let oldestEventId: Int64?
  /// Missed incoming calls since the user last looked (contract §11.1).
  package let unseenMissed: Int
  package let activeCall: CallDetails?
  /// The invitation of a call that still rings for this user.
  package let invitation: StoredEvent?

  package init(
    lastEventId: Int64, oldestEventId: Int64?, unseenMissed: Int = 0,
    activeCall: CallDetails? = nil, invitation: StoredEvent? = nil
  ) {
    (self.lastEventId, self.oldestEventId) = (lastEventId, oldestEventId)
    self.unseenMissed = unseenMissed
    (self.activeCall, self.invitation) = (activeCall, invitation)
  }

  /// Of a user who never had a call.
  static let nothing = UserSnapshot(lastEventId: 0, oldestEventId: nil)
}

package struct Outbox {
  private let database: Database

  package init(_ database: Database) { self.database = database }

  private static let columns = """
    user_id, event_id, event_type, call_id, data, created_at, origin_device, origin_connection
    """

  /// What is older is not kept (contract §6.4), whether or not the sweeper has been there.
  private static let isKept =
    "created_at >= UTC_TIMESTAMP(3) - INTERVAL \(RetentionSettings.eventHours) HOUR"

  /// Of the user whose line is `l`.
  private static let unseenMissed = """
    COALESCE((SELECT t.unseen_missed FROM call_history_totals t WHERE t.user_id = l.user_id), 0)
    """

  /// Snapshots that one statement takes.
  private static let batchSize = 32

  /// Users whose lines are idle, most of those who connect, are read many with one statement, which
  /// sees all that it reads as of one moment.
  /// - Returns: one for each of `userIds`, in their order.
  package func snapshots(of userIds: [String]) throws -> [UserSnapshot] {
    var found: [UserSnapshot] = []
    for start in stride(from: 0, to: userIds.count, by: Self.batchSize) {
      let batch = userIds[start..<min(start + Self.batchSize, userIds.count)]
      let lines = try lines(of: batch)
      for userId in batch {
        switch lines[UserKey(userId)] {
        case .idle(let snapshot): found.append(snapshot)
        case .busy: found.append(try snapshot(of: userId))
        case nil: found.append(.nothing)
        }
      }
    }
    return found
  }

  private enum Line {
    case idle(UserSnapshot)
    case busy
  }

  private func lines(of userIds: ArraySlice<String>) throws -> [UserKey: Line] {
    // Two lengths, so that there are two statements to prepare and not one for each.
    let length = userIds.count == 1 ? 1 : Self.batchSize
    let filled = Array(userIds) + Array(repeating: userIds.first!, count: length - userIds.count)
    let rows = try database.read {
      try $0.query(
        """
        SELECT l.user_id, l.last_event_id, l.call_id IS NOT NULL,
          (SELECT e.event_id FROM call_events e
           WHERE e.user_id = l.user_id AND e.\(Self.isKept) ORDER BY e.event_id LIMIT 1),
          \(Self.unseenMissed)
        FROM user_lines l
        WHERE l.user_id IN (\(Array(repeating: "?", count: length).joined(separator: ", ")))
        """, filled.map { .text($0) })
    }
    var lines: [UserKey: Line] = [:]
    for row in rows {
      let snapshot = UserSnapshot(
        lastEventId: row.int(1), oldestEventId: row.isNull(3) ? nil : row.int(3),
        unseenMissed: Int(row.int(4)))
      lines[UserKey(row.text(0))] = row.int(2) == 0 ? .idle(snapshot) : .busy
    }
    return lines
  }

  /// Line, call and events as of one moment. It waits for no transaction: one that has its user's
  /// line for long must not hold up whoever comes next on this thread.
  package func snapshot(of userId: String) throws -> UserSnapshot {
    try database.snapshot { connection in
      let line = try connection.queryRow(
        """
        SELECT l.last_event_id, \(Self.unseenMissed) FROM user_lines l WHERE l.user_id = ?
        """, [.text(userId)])
      guard let line else {
        return .nothing
      }
      let details = try CallStore.active(
        of: userId, connection, database)
      var invitation: StoredEvent?
      if let call = details?.call, call.status.isUnanswered, call.isCallee(userId) {
        invitation = try self.invitation(connection, userId, call.id)
      }
      let oldest = try connection.queryRow(
        """
        SELECT event_id FROM call_events WHERE user_id = ? AND \(Self.isKept)
        ORDER BY event_id LIMIT 1
        """, [.text(userId)])
      return UserSnapshot(
        lastEventId: line.int(0),
        oldestEventId: oldest?.int(0), unseenMissed: Int(line.int(1)),
        activeCall: details, invitation: invitation)
    }
  }

  private func invitation(_ connection: MySQLConnection, _ userId: String, _ callId: String) throws
    -> StoredEvent?
  {
    try connection.first(
      """
      SELECT \(Self.columns) FROM call_events
      WHERE user_id = ? AND call_id = ? AND event_type = ? ORDER BY event_id DESC LIMIT 1
      """, [.text(userId), .text(callId), .text(CallEvent.invitationType)]
    ) { StoredEvent(row: $0) }
  }

  /// - Parameter after: Events with a higher id than this, in their order.
  package func events(of userId: String, after: Int64, limit: Int) throws -> [StoredEvent] {
    try database.read {
      try $0.map(Self.eventsSQL, [.text(userId), .int(after), .int(limit)]) { StoredEvent(row: $0) }
    }
  }

  private static let eventsSQL = """
    SELECT \(columns) FROM call_events
    WHERE user_id = ? AND event_id > ? AND \(isKept) ORDER BY event_id LIMIT ?
    """

  /// Who has had an event lately, with the newest id: the poll behind the hints.
  ///
  /// An event is dated when it is written and seen when it is committed, which is later: the poll
  /// looks back further than its interval.
  package func usersWithEvents(sinceMilliseconds: Int) throws -> [(
    userId: String, lastEventId: Int64
  )] {
    try database.read {
      try $0.query(
        """
        SELECT user_id, MAX(event_id) FROM call_events FORCE INDEX (call_events_created_at)
        WHERE created_at >= UTC_TIMESTAMP(3) - INTERVAL ? MICROSECOND GROUP BY user_id
        """, [.int(sinceMilliseconds * 1000)]
      ).map { ($0.text(0), $0.int(1)) }
    }
  }
}

extension StoredEvent {
  fileprivate init(row: borrowing MySQLRow) {
    self.init(
      userId: row.text(0), eventId: row.int(1), type: row.text(2), callId: row.optionalText(3),
      data: row.bytes(4), createdAt: row.time(5) ?? Timestamp(milliseconds: 0),
      originDevice: row.optionalText(6), originConnection: row.optionalText(7))
  }
}
