// The event of a user who has looked at the missed calls on one device, for the user's others (contract
// §11.1). It is about no call.

import JSON

package enum HistorySeen {
  package static let type = "history_seen"

  /// The frame's `data`, a JSON object.
  package static let data: [UInt8] = {
    var json = JSONWriter(reserving: 16)
    json.beginObject()
    writeMembers(to: &json)
    json.endObject()
    return json.bytes
  }()

  /// What is unseen after a look; the same in the event and in the response to the request.
  package static func writeMembers(to json: inout JSONWriter) { json.member("missed", 0) }
}
