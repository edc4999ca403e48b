// How many sockets each user has here, kept in Redis for what wakes sleeping devices (contract §8.1:
// calleeConnections). Only where invitations are sent as webhooks.

import Calls
import System

extension Hub {
  /// How often this server says that it lives; a third of how long that is believed.
  static let rosterAliveSeconds = 2
  /// In which everybody's count is written anew, before Redis forgets it.
  static let rosterPeriodSeconds = 120
  /// Users whose counts are written in one round trip.
  static let rosterBatch = 500

  /// The sockets of a user have changed.
  func noteSockets(of userId: String) {
    guard roster != nil else { return }
    unlisted.insert(UserKey(userId))
    noteRoster()
  }

  /// Once a second.
  func refreshRoster() {
    guard let roster else { return }
    let second = Int(server.tick / Server.ticksPerSecond)
    if second % Self.rosterAliveSeconds == 0, !isRosterSilent {
      let name = rosterName
      roster.submit { try? $0.keepRosterAlive(server: name) }
    }
    let period = Self.rosterPeriodSeconds
    for raw in stride(from: second % period, to: server.table.capacity, by: period) {
      if let user = session(at: Int32(raw))?.user { unlisted.insert(UserKey(user.id)) }
    }
    noteRoster()
  }

  /// One round trip at a time: what changes meanwhile goes with the next.
  func noteRoster() {
    guard let roster, !unlisted.isEmpty, !isListing else { return }
    isListing = true
    let ids = unlisted.prefix(Self.rosterBatch).map(\.id)
    let counts = ids.map { (userId: $0, sockets: Int(users[$0]?.count ?? 0)) }
    unlisted.subtract(ids.map { UserKey($0) })
    let (mailbox, name) = (mailbox, rosterName)
    roster.submit { backend in
      let isWritten = (try? backend.noteRoster(counts, server: name)) != nil
      mailbox.post(.rosterNoted(isWritten ? [] : ids))
    }
  }

  /// - Parameter failed: Users whose counts could not be written: a count that is too high would keep a device
  ///   from being woken, so they are written again.
  func rosterNoted(failed: [String]) {
    isListing = false
    unlisted.formUnion(failed.map { UserKey($0) })
    // What failed is tried again with the next second.
    if failed.isEmpty { noteRoster() }
  }

  /// The sockets are about to be closed: their devices are to be woken from now on.
  func leaveRoster() {
    let name = rosterName
    isRosterSilent = true
    roster?.submit { try? $0.leaveRoster(server: name) }
  }
}
