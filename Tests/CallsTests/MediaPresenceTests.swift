// Whom Agora's notices leave in a channel, in whatever order they come (contract §9.2, §9.3).

import System
import Testing

@testable import Calls

private let start = dawn.adding(seconds: 100)

@Suite struct MediaPresenceTests {
  /// Something that happened, in seconds after `start`.
  private struct Step {
    let kind: ChannelEvent.Kind
    let role: MediaPresence.Role
    let seconds: Int64

    static func join(_ role: MediaPresence.Role, _ sequence: UInt64, at seconds: Int64) -> Step {
      Step(kind: .joined(uid: 1, sequence: sequence), role: role, seconds: seconds)
    }

    static func leave(
      _ role: MediaPresence.Role, _ sequence: UInt64, at seconds: Int64, reason: Int32 = 1
    ) -> Step {
      Step(kind: .left(uid: 1, sequence: sequence, reason: reason), role: role, seconds: seconds)
    }

    static func destroy(at seconds: Int64) -> Step {
      Step(kind: .destroyed, role: .caller, seconds: seconds)
    }
  }

  /// Notices that arrive one after the other, the first at `arrival` seconds.
  private func presence(_ steps: [Step], arrival: Int64 = 60) -> MediaPresence {
    var media = MediaPresence()
    for (number, step) in steps.enumerated() {
      media.take(
        step.kind, of: step.role, at: start.adding(seconds: step.seconds),
        receivedAt: start.adding(seconds: arrival + Int64(number)))
    }
    return media
  }

  /// What does not depend on when a notice came.
  private func holds(_ media: MediaPresence) -> MediaPresence {
    var media = media
    if media.absentSince != nil { media.absentSince = start }
    return media
  }

  @Test("§9.2 of one uid the event with the highest clientSeq holds, in every order")
  func orders() {
    let steps: [Step] = [
      .join(.caller, 1, at: 1), .leave(.caller, 2, at: 5, reason: 10), .join(.caller, 3, at: 7),
      .join(.callee, 1, at: 2), .leave(.callee, 9, at: 9, reason: 2),
    ]
    let expected = holds(presence(steps))
    #expect(expected.caller?.isJoined == true)
    #expect(expected.caller?.since == start.adding(seconds: 7))
    #expect(expected.callee?.isJoined == false)
    #expect(expected.callee?.leaveReason == 2)
    for order in permutations(steps) {
      #expect(holds(presence(order)) == expected)
      #expect(holds(presence(order + order)) == expected, "each of them twice")
    }
  }

  @Test("§9.2 a leave before its join leaves nobody there")
  func leaveBeforeJoin() {
    let media = presence([.leave(.caller, 2, at: 5), .join(.caller, 1, at: 1)])
    #expect(media.caller?.isJoined == false)
    #expect(media.absentSince == start.adding(seconds: 60), "the late join is not counted")
  }

  @Test("§9.2 an equal clientSeq changes nothing")
  func equal() {
    let media = presence([.join(.caller, 1, at: 1), .leave(.caller, 1, at: 5)])
    #expect(media.caller?.isJoined == true)
  }

  @Test("§9.2 absence begins when the last one's notice comes, and ends with a join")
  func absence() {
    #expect(presence([]).absentSince == nil, "nobody was reported")
    let both: [Step] = [.join(.caller, 1, at: 1), .join(.callee, 1, at: 1)]
    #expect(presence(both).areBothJoined)
    let one = both + [.leave(.caller, 2, at: 5)]
    #expect(presence(one).absentSince == nil)
    #expect(!presence(one).areBothJoined)
    let gone = one + [.leave(.callee, 2, at: 6, reason: 2)]
    #expect(presence(gone).absentSince == start.adding(seconds: 63))
    #expect(presence(gone).lastToLeave?.leaveReason == 2)
    #expect(presence(gone + [.join(.callee, 3, at: 8)]).absentSince == nil)
    let alone = presence([.join(.caller, 1, at: 1), .leave(.caller, 2, at: 5)])
    #expect(alone.absentSince == start.adding(seconds: 61), "the other was never there")
    let again = presence([.leave(.caller, 2, at: 5), .leave(.caller, 4, at: 15)])
    #expect(again.absentSince == start.adding(seconds: 61), "there in between")
  }

  @Test("§9.2 who left last is told by when they left, not by whose notice came last")
  func last() {
    let media = presence([
      .leave(.callee, 2, at: 9, reason: 2), .leave(.caller, 2, at: 5, reason: 1),
    ])
    #expect(media.lastToLeave?.leaveReason == 2)
    let roles: [MediaPresence.Role] = [.caller, .callee]
    for (first, second) in zip(roles, roles.reversed()) {
      let tie = presence([.leave(first, 2, at: 9, reason: 2), .leave(second, 2, at: 9, reason: 1)])
      #expect(tie.lastToLeave?.leaveReason == 1, "at the same moment: whose notice came last")
    }
  }

  @Test("§9.2 the channel's end counts, in whichever millisecond of its second both have left")
  func destroyedInTheSameSecond() {
    for millisecond: Int64 in [0, 1, 499, 500, 501, 998, 999] {
      let time = Timestamp(milliseconds: start.seconds * 1000 + millisecond)
      var media = presence([.join(.caller, 1, at: -2), .join(.callee, 1, at: -2)])
      for kind: ChannelEvent.Kind in [.left(uid: 1, sequence: 2, reason: 2), .destroyed] {
        for role: MediaPresence.Role in [.caller, .callee] {
          media.take(kind, of: role, at: time, receivedAt: start.adding(seconds: 70))
        }
      }
      #expect(media.destroyedAt == time, "\(millisecond)")
    }
  }

  @Test("§9.2 the channel is gone: everybody has left, why is told by the notices that follow")
  func destroyed() {
    let both: [Step] = [.join(.caller, 1, at: 1), .join(.callee, 1, at: 1)]
    let gone = presence(both + [.destroy(at: 9)])
    #expect(gone.destroyedAt == start.adding(seconds: 9))
    #expect(gone.absentSince == start.adding(seconds: 62))
    #expect(!gone.isExplained)
    #expect(gone.lastToLeave?.leaveReason == nil)
    let explained = presence(
      both + [.destroy(at: 9), .leave(.callee, 2, at: 9), .leave(.caller, 2, at: 7, reason: 2)])
    #expect(explained.isExplained)
    #expect(explained.destroyedAt == start.adding(seconds: 9))
    #expect(explained.lastToLeave?.leaveReason == 1)
  }

  @Test("§9.2 the channel's end that is older than a join does not count")
  func destroyedBefore() {
    let rejoined: [Step] = [
      .join(.caller, 1, at: 1), .leave(.caller, 2, at: 5), .join(.caller, 3, at: 7),
    ]
    for seconds: Int64 in [5, 6] {
      let media = presence(rejoined + [.destroy(at: seconds)])
      #expect(media.caller?.isJoined == true, "\(seconds)")
      #expect(media.destroyedAt == nil)
    }
    let ordered = presence(Array(rejoined.prefix(2)) + [.destroy(at: 5)] + rejoined.suffix(1))
    #expect(ordered.caller?.isJoined == true)
    #expect(ordered.destroyedAt == nil, "made anew")
    let left = presence(rejoined + [.leave(.caller, 4, at: 9), .destroy(at: 5)])
    #expect(left.destroyedAt == nil, "older than the last leave")
  }

  @Test("§9.2 a join that comes after the channel's end and is older does not bring anybody back")
  func lateJoin() {
    let late = presence([.join(.callee, 1, at: 1), .destroy(at: 9), .join(.caller, 1, at: 2)])
    #expect(late.caller?.isJoined == false)
    #expect(late.destroyedAt != nil)
    let same = presence([.join(.callee, 1, at: 1), .destroy(at: 9), .join(.caller, 1, at: 9)])
    #expect(same.caller?.isJoined == true, "in the same second: in doubt the call goes on")
  }

  @Test("§9.2 the channel's end, where nobody was reported, is nobody's absence")
  func destroyedUnreported() {
    #expect(presence([.destroy(at: 9)]).absentSince == nil)
  }

  @Test("§9.2 when it happened: within the second that is told, not after its notice nor now")
  func times() {
    let call = Call.sample(.connected)
    func time(_ seconds: Int64?, _ notifiedAt: Int64, _ now: Int64) -> Int64 {
      let event = ChannelEvent(
        noticeId: "n", channelId: call.channelId, kind: .destroyed,
        occurredAtSeconds: seconds.map { dawn.seconds + $0 },
        notifiedAt: Timestamp(milliseconds: dawn.milliseconds + notifiedAt))
      let now = Timestamp(milliseconds: dawn.milliseconds + now)
      return event.time(in: call, receivedAt: now).milliseconds - dawn.milliseconds
    }
    // The call was made half a second after a whole one.
    #expect(time(20, 25_000, 26_000) == 20_499)
    #expect(time(20, 20_100, 26_000) == 20_100)
    #expect(time(20, 20_100, 20_050) == 20_050, "Agora's clock is ahead")
    #expect(time(nil, 20_100, 26_000) == 20_100)
    #expect(time(-50, 20_100, 26_000) == 26_000, "before the call was made")
    #expect(time(20, -9_000_000, 26_000) == 26_000)
    #expect(time(0, 20_100, 26_000) == 499)
  }

  @Test("§9.3 joined, left or nothing")
  func states() {
    #expect(MediaState(isJoined: true)?.rawValue == "joined")
    #expect(MediaState(isJoined: false)?.rawValue == "left")
    #expect(MediaState(isJoined: nil) == nil)
  }
}

private func permutations<Element>(_ elements: [Element]) -> [[Element]] {
  if elements.count <= 1 { return [elements] }
  return elements.indices.flatMap { index in
    var rest = elements
    let first = rest.remove(at: index)
    return permutations(rest).map { [first] + $0 }
  }
}
