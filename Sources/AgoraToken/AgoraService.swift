// The services that a token opens. Type numbers and layouts are those of Agora's AccessToken2; each
// packs its type, its privileges, and then what is its own.

package struct AgoraService: Equatable, Sendable {
  package enum Content: Equatable, Sendable {
    case rtc(channel: String, uid: String)
    case rtm(userId: String)
    case streaming(channel: String, uid: String)
    case fpa
    case chat(userId: String)
    case cdn(channel: String, uid: String)
    case education(room: String, user: String, role: Int16)
    /// Resource type → permission → names.
    case rtm2(userId: String, permissions: [UInt16: [UInt16: [String]]])
    /// A service that is newer than this code. Services carry no length, so what follows one cannot
    /// be told from what belongs to it: all of it is kept here.
    case unknown(type: UInt16, bytes: [UInt8])
  }

  /// Privilege number → seconds after the token's issue at which it ends; 0 is with the token.
  package var privileges: [UInt16: UInt32]
  package var content: Content

  package init(_ content: Content, privileges: [UInt16: UInt32]) {
    self.content = content
    self.privileges = privileges
  }

  package var type: UInt16 {
    switch content {
    case .rtc: 1
    case .rtm: 2
    case .streaming: 3
    case .fpa: 4
    case .chat: 5
    case .cdn: 6
    case .education: 7
    case .rtm2: 8
    case .unknown(let type, _): type
    }
  }
}

extension AgoraService {
  func pack(into packer: inout Packer) throws(AgoraTokenError) {
    packer.uint16(type)
    try packer.map(privileges) { packer, seconds throws(AgoraTokenError) in
      packer.uint32(seconds)
    }
    switch content {
    case .rtc(let channel, let uid), .streaming(let channel, let uid), .cdn(let channel, let uid):
      try packer.text(channel)
      try packer.text(uid)
    case .rtm(let userId), .chat(let userId):
      try packer.text(userId)
    case .fpa:
      break
    case .education(let room, let user, let role):
      try packer.text(room)
      try packer.text(user)
      packer.uint16(UInt16(bitPattern: role))
    case .rtm2(let userId, let permissions):
      try packer.text(userId)
      try packer.map(permissions) { packer, names throws(AgoraTokenError) in
        try packer.map(names) { packer, names throws(AgoraTokenError) in try packer.texts(names) }
      }
    case .unknown(_, let bytes):
      packer.raw(bytes)
    }
  }

  init(from unpacker: inout Unpacker) throws(AgoraTokenError) {
    let type = try unpacker.uint16()
    privileges = try unpacker.map { unpacker throws(AgoraTokenError) in try unpacker.uint32() }
    content =
      switch type {
      case 1: .rtc(channel: try unpacker.text(), uid: try unpacker.text())
      case 2: .rtm(userId: try unpacker.text())
      case 3: .streaming(channel: try unpacker.text(), uid: try unpacker.text())
      case 4: .fpa
      case 5: .chat(userId: try unpacker.text())
      case 6: .cdn(channel: try unpacker.text(), uid: try unpacker.text())
      case 7:
        .education(
          room: try unpacker.text(), user: try unpacker.text(),
          role: Int16(bitPattern: try unpacker.uint16()))
      case 8:
        .rtm2(
          userId: try unpacker.text(),
          permissions: try unpacker.map { unpacker throws(AgoraTokenError) in
            try unpacker.map { unpacker throws(AgoraTokenError) in try unpacker.texts() }
          })
      default: .unknown(type: type, bytes: unpacker.rest())
      }
  }
}
