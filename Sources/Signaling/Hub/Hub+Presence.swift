// Who is here, kept in MySQL for the sweeper (design §3): a call whose participants have both been
// gone for 90 s is over.

import Calls
import System

extension Hub {
  /// Everybody is noted once in a period, some of them each second: all at once would keep the
  /// database busy, and take memory that is not given back.
  func noteEverybody() {
    let period = settings.presenceSeconds
    let second = Int(server.tick / Server.ticksPerSecond) % period
    for raw in stride(from: second, to: server.table.capacity, by: period) {
      if let user = session(at: Int32(raw))?.user { present.insert(UserKey(user.id)) }
    }
    notePresence()
  }

  /// Notes who came, went or was sent something. One statement at a time: what comes up meanwhile
  /// goes together with the next.
  func notePresence() {
    guard !present.isEmpty, !isNotingPresence else { return }
    isNotingPresence = true
    let ids = present.map(\.id)
    present = []
    let (mailbox, mysql) = (mailbox, mysql)
    presence.submit { backend in
      _ = mysql.attempt { try backend.touch(ids) }
      mailbox.post(.presenceNoted)
    }
  }

  /// Notes the last that went, and waits a moment for that.
  func noteDepartures() throws(SystemError) {
    guard !present.isEmpty else { return }
    let done = try Signal()
    let ids = present.map(\.id)
    presence.submit { backend in
      try? backend.touch(ids)
      done.raise()
    }
    done.wait(milliseconds: 1000)
  }
}
