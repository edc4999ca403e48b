// What the sidecar asks of MySQL and Redis, and of the API's router. Blocking; belongs to the thread
// on which it was made.

import Calls
import HTTP
import Storage

/// What is true for a user at the moment in which a connection opens.
package struct Opening: Sendable {
  /// The newest event; 0 where there never was one.
  package var lastEventId: Int64
  /// The oldest event that is still kept, if any.
  package var oldestEventId: Int64?
  /// Missed incoming calls since the user last looked (contract §11.1).
  package var unseenMissed: Int
  /// The call that the user is in as JSON, or nil.
  package var activeCall: [UInt8]?
  /// The invitation of a call that still rings for this user.
  package var invitation: StoredEvent?

  package init(
    lastEventId: Int64, oldestEventId: Int64? = nil, unseenMissed: Int = 0,
    activeCall: [UInt8]? = nil, invitation: StoredEvent? = nil
  ) {
    (self.lastEventId, self.oldestEventId) = (lastEventId, oldestEventId)
    self.unseenMissed = unseenMissed
    (self.activeCall, self.invitation) = (activeCall, invitation)
  }
}

package protocol Backend {
  /// - Returns: one for each of `userIds`, in their order.
  func openings(of userIds: [String]) throws -> [Opening]
  func events(of userId: String, after: Int64, limit: Int) throws -> [StoredEvent]
  func usersWithEvents(sinceMilliseconds: Int) throws -> [(userId: String, lastEventId: Int64)]
  /// Notes that these users have a connection.
  func touch(_ users: [String]) throws
  /// Notes how many sockets users have on a server.
  func noteRoster(_ counts: [(userId: String, sockets: Int)], server: String) throws
  /// Notes that a server lives, without which its counts are worth nothing.
  func keepRosterAlive(server: String) throws
  /// A server closes its sockets.
  func leaveRoster(server: String) throws
  /// Tries a write that changes nothing: a database may answer and take no writes (contract §7.14).
  func checkDatabase() throws
  /// The same of Redis.
  func checkRedis() throws
  /// The invitation of this call has reached a device.
  func markRinging(_ callId: String) throws
  /// - Returns: the login that the ticket was issued for; nil where there is no such ticket. It is gone
  ///   afterwards.
  func redeem(ticket: String) throws -> Login?
  /// Answers a command as REST would.
  func perform(
    _ request: HTTPRequest, as userId: String, connectionId: String, deviceId: String?
  ) -> HTTPResponse
}
