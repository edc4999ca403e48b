// The request that sends everybody out of a channel (contract §9.4; Agora, "RESTful API: create a rule",
// POST /dev/v1/kicking-rule).

import JSON
import System

package enum KickBody {
  package static let path = "/dev/v1/kicking-rule"
  /// What Agora takes for `time_in_seconds`.
  package static let seconds: ClosedRange<Int64> = 10...86_430

  /// How long the rule has to hold.
  /// - Parameter lastTokenExpiry: When every token of the channel has expired; nil without one.
  package static func seconds(until lastTokenExpiry: Timestamp?, from now: Timestamp) -> Int64 {
    guard let lastTokenExpiry else { return seconds.lowerBound }
    let rest = (lastTokenExpiry.milliseconds - now.milliseconds + 999) / 1000
    return min(max(rest, seconds.lowerBound), seconds.upperBound)
  }

  package static func make(appId: String, channelId: String, seconds: Int64) -> [UInt8] {
    var json = JSONWriter(reserving: 160)
    json.beginObject()
    json.member("appid", appId)
    json.member("cname", channelId)
    json.member("time_in_seconds", seconds)
    json.key("privileges")
    json.beginArray()
    json.string("join_channel")
    json.endArray()
    json.endObject()
    return json.bytes
  }
}

/// At most ten requests begin in any second.
package struct Pace: Sendable {
  package static let perSecond = 10
  private static let windowMilliseconds: Int64 = 1000

  private var startedAt: [Int64] = []

  package init() {}

  /// - Parameter now: Milliseconds of the monotonic clock.
  /// - Returns: How many may begin now.
  package mutating func allowed(at now: Int64) -> Int {
    startedAt.removeAll { now - $0 >= Self.windowMilliseconds }
    return Self.perSecond - startedAt.count
  }

  package mutating func started(at now: Int64) { startedAt.append(now) }

  /// How long until one more may begin; nil where one may.
  package func waitMilliseconds(at now: Int64) -> Int64? {
    guard startedAt.count >= Self.perSecond, let first = startedAt.first else { return nil }
    return max(1, first + Self.windowMilliseconds - now)
  }
}
