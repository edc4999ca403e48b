// Agora's word on the channels of calls (contract §9.2): each notice is one transaction that locks both
// lines, reads the call and its presence, lets the rules of `Calls` decide, and writes. Two round trips, three
// where the call changes.

import Calls
import MySQL
import System

package struct MediaStore {
  private let database: Database
  private let hints: Hints
  /// How long neither participant may be in the channel (AGORA_ABSENCE_SECONDS).
  private let absenceSeconds: Int

  package init(_ database: Database, hints: Hints, absenceSeconds: Int) {
    (self.database, self.hints) = (database, hints)
    self.absenceSeconds = absenceSeconds
  }

  /// Does nothing about channels that are no call's, uids that are no participant's, and notices that have come
  /// before.
  /// - Throws: `MySQLError`, `StorageError`.
  package func record(_ event: ChannelEvent) throws {
    guard Self.mayBeOurs(event.channelId) else { return }
    let recipients = try database.change { transaction -> Set<UserKey> in
      guard let channel = try LockedChannel(transaction, event), !channel.isKnown else { return [] }
      let call = channel.locked.call
      let now = channel.locked.now
      var media = channel.media
      media.take(
        event.kind, of: channel.role, at: event.time(in: call, receivedAt: now), receivedAt: now)
      let outcome = call.following(media, absenceSeconds: absenceSeconds, at: now)
      try channel.record(
        event, media, dueAt: outcome.dueAt, commits: outcome.change == nil)
      guard let change = outcome.change else { return [] }
      try channel.locked.write(change)
      return change.recipients
    }
    hints.publish(to: recipients)
  }

  /// The column holds ASCII; another text is not to be converted to it.
  private static func mayBeOurs(_ channelId: String) -> Bool {
    channelId.utf8.count <= 64 && channelId.utf8.allSatisfy { $0 < 0x80 }
  }

  /// Who is in the channel of a call; nil where Agora has reported nothing of it.
  package func presence(of callId: String) throws -> MediaPresence? {
    guard CallID.isWellFormed(callId) else { return nil }
    return try database.read {
      try $0.first(
        "SELECT \(MediaPresence.columns) FROM agora_presence p WHERE p.call_id = ?",
        [.text(callId.lowercased())]
      ) { try MediaPresence(row: $0, at: 0) }
    }
  }
}

/// A call under lock, found by its channel, and its presence.
private struct LockedChannel {
  let locked: LockedCall
  let media: MediaPresence
  /// Whose uid the event names; the caller where it names none.
  let role: MediaPresence.Role
  /// The notice has come before.
  let isKnown: Bool

  /// Opens the transaction.
  /// - Returns: nil where the channel is no call's, or the uid no participant's: then nothing is locked.
  init?(_ transaction: Transaction, _ event: ChannelEvent) throws {
    let uid = event.uid.map { MySQLValue.int(Int64($0)) } ?? .null
    var call: LockedCall?
    var presence: (media: MediaPresence, role: MediaPresence.Role, isKnown: Bool)?
    transaction.state = .open
    try transaction.connection.readResults(
      Routine.lockChannel, [.text(event.channelId), uid, .text(event.noticeId)]
    ) { result, row in
      if result == 0 {
        call = try LockedCall(row: row, transaction)
      } else {
        presence = (
          try MediaPresence(row: row, at: 2), row.int(1) != 0 ? .callee : .caller, row.int(0) != 0
        )
      }
    }
    guard let call, let presence else { return nil }
    locked = call
    (media, role, isKnown) = presence
  }

  /// Writes the presence as it is now and notes the notice.
  /// - Parameter commits: false where the call is written as well.
  func record(_ event: ChannelEvent, _ media: MediaPresence, dueAt: Timestamp?, commits: Bool)
    throws
  {
    var values: [MySQLValue] = [.text(locked.call.id), .text(event.noticeId)]
    values += media.values
    values += [.time(dueAt), .bool(commits)]
    if commits {
      try locked.transaction.commit(Routine.recordNotice, values)
    } else {
      locked.transaction.state = .written
      try locked.transaction.connection.execute(Routine.recordNotice, values)
    }
  }
}

extension LockedCall {
  /// What the sweeper does for the presence of a call that is due; when it is due again is written, and is
  /// committed with the transaction.
  /// - Returns: nil where the call stays as it is.
  func followMedia(absenceSeconds: Int) throws -> CallChange? {
    let media = try transaction.connection.first(
      "SELECT \(MediaPresence.columns) FROM agora_presence p WHERE p.call_id = ? FOR UPDATE",
      [.text(call.id)]
    ) { try MediaPresence(row: $0, at: 0) }
    guard let media else { return nil }
    let outcome = call.following(media, absenceSeconds: absenceSeconds, at: now)
    transaction.state = .written
    try transaction.connection.execute(
      "UPDATE agora_presence SET due_at = ? WHERE call_id = ?",
      [.time(outcome.dueAt), .text(call.id)])
    return outcome.change
  }
}
