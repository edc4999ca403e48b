// Tokens for calls: one RTC service, and in it the privileges of a role (R3, R4.2).

/// What a user may do in a channel.
package enum RTCRole: String, Sendable, CaseIterable {
  case publisher, subscriber

  /// Agora's numbers: 1 joining the channel, 2 publishing audio, 3 video, 4 a data stream.
  var privileges: [UInt16] {
    switch self {
    case .publisher: [1, 2, 3, 4]
    case .subscriber: [1]
    }
  }
}

extension AccessToken2 {
  /// A token that lets one user into one channel. Its privileges end when it does, so that a
  /// participant whose token has run out leaves the channel.
  package static func rtc(
    appId: String, channel: String, uid: UInt32, role: RTCRole,
    issuedAt: UInt32, expireSeconds: UInt32, salt: UInt32
  ) -> AccessToken2 {
    let privileges = Dictionary(uniqueKeysWithValues: role.privileges.map { ($0, expireSeconds) })
    let service = AgoraService(
      .rtc(channel: channel, uid: String(uid)), privileges: privileges)
    return AccessToken2(
      appId: appId, issuedAt: issuedAt, expireSeconds: expireSeconds, salt: salt,
      services: [service])
  }

  /// Channel, uid and role of the token's RTC service; nil where it has none, or not exactly one.
  package var rtc: RTCGrant? {
    var grants: [RTCGrant] = []
    for service in services {
      guard case .rtc(let channel, let uid) = service.content else { continue }
      let role = RTCRole.allCases.first { Set($0.privileges) == Set(service.privileges.keys) }
      grants.append(RTCGrant(channel: channel, uid: uid, role: role))
    }
    return grants.count == 1 ? grants[0] : nil
  }
}

package struct RTCGrant: Equatable, Sendable {
  package let channel: String
  /// Decimal, as Agora writes it; empty is any user.
  package let uid: String
  /// Nil where the privileges are neither role's.
  package let role: RTCRole?
}
