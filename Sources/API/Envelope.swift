// The two forms of every body (contract §1): `{"success":true,"data":…,"requestId":…}` and
// `{"success":false,"error":…,"requestId":…}`.

import Calls
import HTTP
import JSON

/// What a handler answers with.
struct Reply {
  var status = 200
  /// JSON, already written.
  var data: [UInt8]
  var headers: HTTPHeaders = [:]

  init(status: Int = 200, headers: HTTPHeaders = [:], _ write: (inout JSONWriter) -> Void) {
    var json = JSONWriter(reserving: 512)
    write(&json)
    (self.status, self.headers, data) = (status, headers, json.bytes)
  }

  /// What has been written already.
  init(_ json: borrowing JSONWriter) { data = json.bytes }

  /// An object with the members that `members` writes.
  static func object(
    status: Int = 200, headers: HTTPHeaders = [:], _ members: (inout JSONWriter) -> Void
  ) -> Reply {
    Reply(status: status, headers: headers) { json in
      json.beginObject()
      members(&json)
      json.endObject()
    }
  }
}

package enum Envelope {
  static func success(_ reply: Reply, requestId: String) -> HTTPResponse {
    var json = JSONWriter(reserving: reply.data.count + 96)
    json.beginObject()
    json.member("success", true)
    json.key("data")
    json.raw(reply.data)
    json.member("requestId", requestId)
    json.endObject()
    return response(reply.status, reply.headers, json.bytes, requestId)
  }

  /// The answer that a request would have had which came over a socket and is no route of REST.
  /// - Parameter data: JSON, already written.
  package static func success(data: [UInt8], requestId: String) -> HTTPResponse {
    success(Reply { $0.raw(data) }, requestId: requestId)
  }

  /// The answer to a request that is refused (R12.1).
  package static func failure(_ error: CallError, requestId: String) -> HTTPResponse {
    let entry = ErrorResponse(error)
    var json = JSONWriter(reserving: 256)
    json.beginObject()
    json.member("success", false)
    json.key("error")
    json.beginObject()
    json.member("code", entry.code)
    json.member("message", entry.message)
    if let details = entry.details { json.member("details", details) }
    json.endObject()
    json.member("requestId", requestId)
    json.endObject()
    return response(entry.status, entry.headers, json.bytes, requestId)
  }

  private static func response(
    _ status: Int, _ headers: HTTPHeaders, _ body: [UInt8], _ requestId: String
  ) -> HTTPResponse {
    var response = HTTPResponse(
      status: status,
      headers: [
        "Content-Type": "application/json", "X-Request-Id": requestId,
        // Tokens and call data are nobody's to keep.
        "Cache-Control": "no-store",
      ], body: body)
    for field in headers.fields { response.headers.append(field.name, field.value) }
    return response
  }
}
