// The means of a call's quality samples, and how the API and the webhooks show them.

import JSON

/// Plain means over a call's quality samples (contract §7.4): nil where none was given.
package struct CallQuality: Sendable, Equatable {
  /// 5 (excellent) … 1 (veryBad).
  package var averageScore: Double?
  /// 0…1.
  package var averagePacketLossRate: Double?
  /// In milliseconds.
  package var averageRoundTripTime: Double?
  package var samples = 0

  package init() {}
}

extension CallQuality {
  /// As a member of a call (contract §4).
  package func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member(
      "averageNetworkQuality", NetworkQuality(averageScore: averageScore)?.rawValue)
    json.member("averageScore", averageScore)
    json.member("averagePacketLossRate", averagePacketLossRate)
    json.member("averageRoundTripTime", averageRoundTripTime)
    json.member("samples", samples)
    json.endObject()
  }
}
