// One authenticated request on its way to a handler.

import Calls
import HTTP
import JSON
import System

struct Context {
  let request: HTTPRequest
  /// The authenticated user.
  let userId: String
  /// What stands in the place of `{callId}` in the path, percent-decoded; else empty.
  let callId: String
  let query: QueryParameters
  /// The members of the body; empty for requests that have none.
  let body: [String: JSONValue]
  /// The signaling connection that carried the request as a command, if one did.
  let connectionId: String?
  /// The device that that connection named.
  let connectionDevice: String?
  /// When the login ends that the request came with; nil where it does not.
  var loginEndsAt: Timestamp?

  var requestId: String { request.requestId }

  /// Collects the faults of body and query, so that all are told at once (R12.3).
  func fields() -> Fields { Fields(context: self) }
}
