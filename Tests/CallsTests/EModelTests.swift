// The estimate of the mean opinion score, against values computed by hand (ITU-T G.107, G.113).

import Testing

@testable import Calls

@Suite struct EModelTests {
  private static func near(_ one: Double, _ other: Double, within: Double = 0.0005) -> Bool {
    abs(one - other) <= within
  }

  @Test("G.107 Annex B: from rating to opinion, with what its table gives for each category")
  func opinion() {
    // G.107, table B.1: lower limits of the ratings and the opinion that belongs to each.
    for (rating, opinion) in [(90.0, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58)] {
      #expect(Self.near(EModel.meanOpinionScore(rating: rating), opinion, within: 0.007))
    }
    #expect(Self.near(EModel.meanOpinionScore(rating: 93.2), 4.4093))
    #expect(EModel.meanOpinionScore(rating: 100) == 4.5)
    #expect(EModel.meanOpinionScore(rating: 150) == 4.5)
    for rating in [-1000.0, -0.1, 0, 3, 6] {
      #expect(EModel.meanOpinionScore(rating: rating) == 1)
    }
  }

  @Test("delay: 0.024 a millisecond, and 0.11 more beyond 177.3 ms (Cole and Rosenbluth)")
  func delay() {
    #expect(EModel.delayImpairment(0) == 0)
    #expect(Self.near(EModel.delayImpairment(100), 2.4))
    #expect(Self.near(EModel.delayImpairment(177.3), 4.2552))
    // 0.024 × 277.3 + 0.11 × 100
    #expect(Self.near(EModel.delayImpairment(277.3), 17.6552))
  }

  @Test("loss: 95 Ppl / (Ppl + 25.1) with G.113's values")
  func loss() {
    #expect(EModel.equipmentImpairment(0) == 0)
    // 95 / 26.1 and 95 × 5 / 30.1
    #expect(Self.near(EModel.equipmentImpairment(0.01), 3.6398))
    #expect(Self.near(EModel.equipmentImpairment(0.05), 15.7807))
    // 9500 / 125.1
    #expect(Self.near(EModel.equipmentImpairment(1), 75.9392))
  }

  @Test(
    "both, from end to end",
    arguments: [
      // 93.2 − 0.024 × 76.5
      (loss: 0.0, roundTrip: 20.0, rating: 91.364, opinion: 4.3710),
      // 93.2 − 0.024 × 116.5 − 3.6398
      (0.01, 100, 86.7642, 4.2519),
      // 93.2 − 0.024 × 177.3 − 15.7807
      (0.05, 221.6, 73.1641, 3.7417),
      // 93.2 − (0.024 × 366.5 + 0.11 × 189.2) − 1900 / 45.1
      (0.2, 600, 21.4634, 1.2965),
    ])
  func whole(loss: Double, roundTrip: Double, rating: Double, opinion: Double) {
    let found = EModel.rating(packetLossRate: loss, roundTripTime: roundTrip)
    #expect(Self.near(found, rating))
    #expect(Self.near(EModel.meanOpinionScore(rating: found), opinion))
  }

  @Test("more loss and more delay never sound better, and no value leaves 1…4.5")
  func monotonic() {
    func opinion(_ loss: Double, _ roundTrip: Double) -> Double {
      EModel.meanOpinionScore(
        rating: EModel.rating(packetLossRate: loss, roundTripTime: roundTrip))
    }
    let losses = stride(from: 0.0, through: 1, by: 0.02)
    let roundTrips = [1e-9, 1, 50, 110.8, 221.6, 400, 800, 1600, 5000, 1e12]
    for loss in losses {
      for (shorter, longer) in zip(roundTrips, roundTrips.dropFirst()) {
        #expect(opinion(loss, longer) <= opinion(loss, shorter))
      }
    }
    for roundTrip in roundTrips {
      for loss in losses.dropFirst() {
        #expect(opinion(loss, roundTrip) <= opinion(loss - 0.02, roundTrip))
        #expect((1...4.5).contains(opinion(loss, roundTrip)))
      }
    }
  }

  @Test("there is an estimate only where both means are known")
  func absent() {
    var quality = CallQuality()
    #expect(quality.meanOpinionScore == nil)
    quality.averagePacketLossRate = 0
    #expect(quality.meanOpinionScore == nil)
    quality.averageRoundTripTime = 20
    #expect(Self.near(quality.meanOpinionScore ?? 0, 4.3710))
    quality.averagePacketLossRate = nil
    #expect(quality.meanOpinionScore == nil)
  }
}
