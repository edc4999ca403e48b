// How good a call sounded, estimated from its mean packet loss and round trip: the E-model of ITU-T G.107,
// reduced to what is known here.
//
//   R = 93.2 − Id − Ie,eff
//
// 93.2 is G.107's rating with all other parameters at their defaults. Id, the impairment by delay, is the
// fit of R. G. Cole and J. H. Rosenbluth, "Voice over IP performance monitoring" (ACM SIGCOMM Computer
// Communication Review 31(2), 2001). Ie,eff, the impairment by codec and loss, is G.107's equation 7-29.
// The mean opinion score follows from R by G.107's Annex B.
//
// It is an estimate for planning and comparison: the loss is taken for random, and clients' means over a
// whole call hide its bad moments. It speaks of the audio, also of a video call.

package enum EModel {
  /// G.107's default rating: a call without delay, loss or coding.
  static let bestRating = 93.2

  /// Ie and Bpl of ITU-T G.113 (11/2007), Appendix I, for G.711 with packet-loss concealment under random
  /// loss. G.113 has no values for Opus, which Agora's SDKs send: on this narrowband scale it is as good as
  /// undistorted, like G.711, and conceals losses.
  static let codecImpairment = 0.0
  static let lossRobustness = 25.1

  /// Ratio of the loss's bursts to those of random loss: 1 is random (G.107).
  static let burstRatio = 1.0

  /// Milliseconds from mouth to ear that are not the network's: a packet of 20 ms and 6.5 ms of look-ahead
  /// (RFC 6716, Opus), and 40 ms in the receiver's jitter buffer, an assumption.
  static let endpointDelay = 66.5

  /// The transmission rating.
  /// - Parameters:
  ///   - packetLossRate: 0…1.
  ///   - roundTripTime: In milliseconds.
  /// - Returns: At most 93.2; below 0 for what nobody could talk over.
  package static func rating(packetLossRate: Double, roundTripTime: Double) -> Double {
    bestRating - delayImpairment(roundTripTime / 2 + endpointDelay)
      - equipmentImpairment(packetLossRate)
  }

  /// - Parameter rating: As `rating` gives it.
  /// - Returns: 1 (bad) … 4.5 (as good as narrowband gets).
  package static func meanOpinionScore(rating: Double) -> Double {
    if rating <= 0 { return 1 }
    if rating >= 100 { return 4.5 }
    // Annex B's cubic falls below 1 for ratings up to 6.5.
    return max(1, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6)
  }

  /// Id. Beyond 177.3 ms conversation suffers more with each one.
  /// - Parameter delay: From mouth to ear, in milliseconds.
  static func delayImpairment(_ delay: Double) -> Double {
    0.024 * delay + 0.11 * max(0, delay - 177.3)
  }

  /// Ie,eff.
  static func equipmentImpairment(_ packetLossRate: Double) -> Double {
    let percent = packetLossRate * 100
    return codecImpairment + (95 - codecImpairment) * percent
      / (percent / burstRatio + lossRobustness)
  }
}

extension CallQuality {
  /// 1…4.5; nil unless both loss and round trip were reported.
  package var meanOpinionScore: Double? {
    guard let averagePacketLossRate, let averageRoundTripTime else { return nil }
    return EModel.meanOpinionScore(
      rating: EModel.rating(
        packetLossRate: averagePacketLossRate, roundTripTime: averageRoundTripTime))
  }
}
