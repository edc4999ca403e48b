// What the server asks of the program behind it. Everything is called on the server's thread.

import HTTP
import System
import WebSocket

package protocol ConnectionHandler: AnyObject {
  func makeConnection(_ descriptor: consuming Descriptor, tag: UInt64) -> Connection
  /// A request head has come: to be answered with `respond`, or `upgrade` and then `release`, now
  /// or later.
  func requested(_ head: RequestHead, _ connection: Connection)
  /// What has come is no request head: to be answered with `respond`.
  func refused(_ error: RequestHeadError, _ connection: Connection)
  /// A frame has come; the server itself answers pings and Close frames. Nothing of `payload` may
  /// be kept.
  func received(_ kind: Received, _ payload: Span<UInt8>, _ connection: Connection)
  /// A socket that was blocked has taken everything.
  func drained(_ connection: Connection)
  /// Nothing more can be sent: the connection is being closed or has gone. Called once for every
  /// connection that was ever made.
  func closed(_ connection: Connection)
  /// Four times a second.
  func ticked()
  /// Until `due()` is to be called, in milliseconds; nil is never. Asked after everything else.
  var millisecondsLeft: Int32? { get }
  /// Called once that time is over, and now and then before.
  func due()
  /// The server's wake-up descriptor was raised.
  func woken()
  /// SIGHUP has come: what can change while the program runs is to be read again.
  func reload()
  /// A shutdown has begun.
  func stopping()
}

extension ConnectionHandler {
  package var millisecondsLeft: Int32? { nil }
  package func due() {}
}
