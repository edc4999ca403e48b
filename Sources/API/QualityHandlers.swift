// Quality samples (R7): validated, stored, the latest kept in Redis for five minutes.

import Calls
import JSON
import Redis
import Storage
import System

struct QualityHandlers {
  let quality: QualityStore
  let redis: RedisConnection?

  /// R7.5.
  static let cacheSeconds = 300
  /// In milliseconds: thirty years. Without a bound, means could overflow.
  static let maximumRoundTripTime = 1e12

  func report(_ context: Context) throws -> Reply {
    var fields = context.fields()
    let networkQuality = fields.word(
      "networkQuality", .invalidQuality, required: true, among: NetworkQuality.self)
    let loss = fields.number("packetLossRate", .invalidPacketLoss, "a number from 0 to 1") {
      (0...1).contains($0)
    }
    let roundTrip = fields.number(
      "roundTripTime", .invalidRoundTripTime, "milliseconds, more than 0 and at most 1000000000000"
    ) { $0 > 0 && $0 <= Self.maximumRoundTripTime }
    let reportedAt = fields.timestamp("timestamp")
    try fields.check()
    guard let networkQuality else { throw CallError.internalError }
    var sample = QualitySample(networkQuality: networkQuality)
    sample.packetLossRate = loss
    sample.roundTripTime = roundTrip
    sample.reportedAt = reportedAt
    let callId = context.callId.lowercased()
    let recordedAt = try quality.record(sample, callId: callId, by: context.userId)
    let reply = Reply.object { json in
      json.member("callId", callId)
      json.member("userId", context.userId)
      json.member("networkQuality", networkQuality.rawValue)
      json.member("packetLossRate", loss)
      json.member("roundTripTime", roundTrip)
      json.member("recordedAt", recordedAt.iso8601)
    }
    // The truth is stored; without Redis only the copy is missing (design §2).
    _ = try? redis?.command([
      "SETEX", "call:\(callId):quality:\(context.userId)", .init(String(Self.cacheSeconds)),
      .init(reply.data),
    ])
    return reply
  }
}
