// A choice of the cases of Autobahn's test suite, by its numbers, so that they are looked at in every
// run; all of them are in `make conformance`. Lengths, UTF-8 and close codes are in the other suites.

import Testing
import WebSocket

@Suite struct AutobahnTests {
  struct Case: CustomTestStringConvertible {
    let number: String
    let frames: [[UInt8]]
    /// What has to be handed on, fragments left out.
    let items: [Decoded.Item]
    /// How the decoder fails after that, if it does.
    let failure: CloseCode?

    init(
      _ number: String, _ frames: [[UInt8]], _ items: [Decoded.Item] = [],
      _ failure: CloseCode? = nil
    ) {
      (self.number, self.frames, self.items, self.failure) = (number, frames, items, failure)
    }

    var testDescription: String { number }
  }

  private static let hello = ClientFrames.text("Hello, world!")
  private static let ping = ClientFrames.frame(9)
  private static let fe = [UInt8](repeating: 0xFE, count: 126)

  private static func item(_ kind: Received, _ text: String) -> Decoded.Item {
    .init(kind: kind, payload: Array(text.utf8))
  }

  private static func frame(_ opcode: UInt8, _ text: String, isFinal: Bool = true) -> [UInt8] {
    ClientFrames.frame(opcode, Array(text.utf8), isFinal: isFinal)
  }

  private static let pings: [Case] = [
    Case(
      "2.3", [ClientFrames.frame(9, [0, 0xFF, 0xFE])], [.init(kind: .ping, payload: [0, 255, 254])]),
    Case(
      "2.4", [ClientFrames.frame(9, Array(fe.dropLast()))],
      [
        .init(kind: .ping, payload: Array(fe.dropLast()))
      ]),
    Case("2.5", [ClientFrames.frame(9, fe)], [], .protocolError),
    Case(
      "2.9", [frame(10, "unasked"), frame(9, "ping")],
      [item(.pong, "unasked"), item(.ping, "ping")]),
    Case(
      "2.10", (0..<10).map { frame(9, "payload-\($0)") },
      (0..<10).map { item(.ping, "payload-\($0)") }),
  ]

  private static let reserved: [Case] = [
    Case(
      "3.2", [hello, ClientFrames.frame(1, reserved: 2), ping], [item(.text, "Hello, world!")],
      .protocolError),
    Case("3.5", [ClientFrames.frame(2, [0], reserved: 5)], [], .protocolError),
    Case("3.6", [ClientFrames.frame(9, reserved: 6)], [], .protocolError),
    Case("3.7", [ClientFrames.frame(8, reserved: 7)], [], .protocolError),
    Case(
      "4.1.3", [hello, ClientFrames.frame(5), ping], [item(.text, "Hello, world!")], .protocolError),
    Case("4.2.4", [hello, frame(14, "x"), ping], [item(.text, "Hello, world!")], .protocolError),
  ]

  private static let first = frame(1, "fragment1", isFinal: false)
  private static let last = frame(0, "fragment2")
  private static let both = item(.text, "fragment1fragment2")

  private static let fragments: [Case] = [
    Case("5.1", [frame(9, "fragment1", isFinal: false), last], [], .protocolError),
    Case("5.2", [frame(10, "fragment1", isFinal: false), last], [], .protocolError),
    Case("5.3", [first, last], [both]),
    Case("5.6", [first, frame(9, "ping"), last], [item(.ping, "ping"), both]),
    Case("5.9", [frame(0, "non-continuation"), hello], [], .protocolError),
    Case("5.12", [frame(0, "non-continuation", isFinal: false), hello], [], .protocolError),
    Case(
      "5.15", [first, last, frame(0, "fragment3", isFinal: false), hello], [both], .protocolError),
    Case("5.18", [first, frame(1, "fragment2")], [], .protocolError),
    Case(
      "5.19",
      [
        first, frame(0, "2", isFinal: false), frame(9, "1!"), frame(0, "3", isFinal: false),
        frame(0, "4", isFinal: false), frame(9, "2!"), frame(0, "5"),
      ],
      [item(.ping, "1!"), item(.ping, "2!"), item(.text, "fragment12345")]),
    Case(
      "10.1.1",
      [ClientFrames.frame(1, [UInt8](repeating: 0x2A, count: 1300), isFinal: false)]
        + Array(repeating: ClientFrames.frame(0, fe.map { _ in 0x2A }, isFinal: false), count: 3)
        + [ClientFrames.frame(0, [0x2A])],
      [item(.text, String(repeating: "*", count: 1300 + 3 * 126 + 1))]),
  ]

  private static let closes: [Case] = [
    Case(
      "7.1.2", [ClientFrames.close(1000), ClientFrames.close(1000)], [item(.close(.normal), "")]),
    Case("7.1.4", [ClientFrames.close(1000), hello], [item(.close(.normal), "")]),
    Case("7.1.5", [first, ClientFrames.close(1000), last], [item(.close(.normal), "")]),
    Case("7.3.2", [ClientFrames.frame(8, [0x61])], [], .protocolError),
    Case("7.5.1", [ClientFrames.close(1000, [0xCE, 0xBA, 0xED, 0xA0, 0x80])], [], .invalidPayload),
  ]

  @Test(arguments: pings + reserved + fragments + closes)
  func theCaseIsOK(of aCase: Case) {
    let stream = aCase.frames.flatMap { $0 }
    for size in [1, 7, .max] {
      let decoded = Decoded(stream, by: size)
      #expect(decoded.items.filter { $0.kind != .fragment } == aCase.items)
      #expect(decoded.failure == aCase.failure)
    }
  }
}
