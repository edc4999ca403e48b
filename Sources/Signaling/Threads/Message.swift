// What a thread beside the event loop tells it.

import Calls
import HTTP
import JSON
import Storage

/// Why there is no result: somebody is away, and it is worth asking again later.
struct Unavailable: Error {}

/// What other threads have for the event loop.
typealias Mailbox = Inbox<Message>

enum Message: Sendable {
  /// What the connections of a batch are told first.
  case openings(OpeningQueue.Batch, Result<[Opening], Unavailable>)
  /// Events of a user from the outbox, all that there are behind `after` or a full page of them.
  case events(userId: String, serial: UInt32, after: Int64, Result<[StoredEvent], Unavailable>)
  /// The login that a ticket was issued for; nil where there is no such ticket.
  case ticket(tag: UInt64, Result<Login?, Unavailable>)
  /// What came of a client's command.
  case result(tag: UInt64, requestId: JSONValue, HTTPResponse)
  /// This user has something new in the outbox.
  case hint(String)
  /// Redis was connected to, and has yet to be told whose hints this server wants.
  case hintsUnsubscribed
  /// These users have had an event lately.
  case recent([(userId: String, lastEventId: Int64)])
  /// The database did not hear that this invitation has reached a device of the user.
  case notRinging(userId: String, Invitation)
  /// Presence was noted, or could not be.
  case presenceNoted
  /// Counts of users' sockets were written, except those of these users.
  case rosterNoted([String])
  /// It is known again whether MySQL and Redis take writes.
  case writesChecked
  /// The sidecar is to end.
  case stop
}
