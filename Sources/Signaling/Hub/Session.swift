// A connection of a user. Ten thousand of these are open and idle most of the time, so it holds no
// text that can be derived and no collection.

import System

final class Session: Connection {
  // The first stands beside the last of Connection's, and so on: nothing is lost between them.

  /// The next in the user's list, by descriptor; -1 is none.
  var next: Int32 = -1
  /// From the moment of authentication on.
  var user: User?
  /// The one before this in the user's list.
  var previous: Int32 = -1
  /// The tick with which the second began in which `frames` were counted.
  private var secondBegan: UInt32 = 0
  /// Random; the `connectionId` that clients see.
  var number: UInt64 = 0
  var deviceId: String?
  /// The newest event that this connection has been sent or was opened behind.
  var cursor: Int64 = 0
  private var frames: UInt16 = 0
  /// Commands whose results are awaited.
  var commands: UInt8 = 0
  /// Connected at `/ws/chat` (contract §6.5).
  var isChat = false
  /// The client named the event from which it wants to go on.
  var isResuming = false
  /// `connected` has been sent.
  var isLive = false
  /// There may be events beyond the cursor that it could not be sent.
  var isBehind = false
  /// What its entry in ``Hub/logins`` waits for is not the end of the login yet, but the notice before it.
  var isNoticeDue = false

  var connectionId: String {
    hexadecimal((0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) } as [UInt8])
  }

  /// Whether events may be sent to it now.
  var isReady: Bool { isLive && phase == .open && isDrained }

  /// - Returns: how many frames have come in a second, this one included. The second begins with
  ///   its first frame, so that a burst is never counted as two.
  func countFrame(at tick: UInt32) -> Int {
    if tick - secondBegan >= Server.ticksPerSecond { (secondBegan, frames) = (tick, 0) }
    if frames < .max { frames += 1 }
    return Int(frames)
  }
}
