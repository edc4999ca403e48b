// RFC 4648 §10's vectors, every length, and what a strict decoder refuses.

import Crypto
import Testing

@Suite struct Base64Tests {
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
    ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
  ])
  func rfcVectors(text: String, encoded: String) {
    #expect(Base64.encode(Array(text.utf8)) == encoded)
    #expect(Base64.decode(encoded) == Array(text.utf8))
    let unpadded = encoded.filter { $0 != "=" }
    #expect(Base64URL.encode(Array(text.utf8)) == unpadded)
    #expect(Base64URL.decode(unpadded) == Array(text.utf8))
  }

  @Test func alphabetsDiffer() {
    let bytes: [UInt8] = [0xFB, 0xFF, 0xBF]
    #expect(Base64.encode(bytes) == "+/+/")
    #expect(Base64URL.encode(bytes) == "-_-_")
    #expect(Base64.decode("-_-_") == nil)
    #expect(Base64URL.decode("+/+/") == nil)
  }

  @Test(arguments: [
    "Zg", "Zg=", "Zg===", "Z===", "====", "=", "Zm8", "Zm9v=", "Zg==Zg==", "Zm=v", "Zm9v\n",
    " Zm9v", "Zm 9v", "Zm9v====", "Zh==", "Zm9=", "Zm9vé", "Z\0==",
  ])
  func refuses(text: String) {
    #expect(Base64.decode(text) == nil)
  }

  @Test(arguments: ["Z", "Zg==", "Zm8=", "Zh", "Zm9", "Zm9vY", "Zm9v\n", "Z g", "Zm.v"])
  func refusesURLSafe(text: String) {
    #expect(Base64URL.decode(text) == nil)
  }

  @Test func everyByteAndLength() {
    let bytes = (0...255).map { UInt8($0) }
    for length in 0...256 {
      let part = Array(bytes.prefix(length))
      #expect(Base64.decode(Base64.encode(part)) == part)
      #expect(Base64URL.decode(Base64URL.encode(part)) == part)
    }
  }

  /// A text has one spelling: of the 64 last characters of a group only those with no stray bits.
  @Test func lastCharacterIsCanonical() {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    #expect(alphabet.filter { Base64URL.decode("A\($0)") != nil }.count == 4)
    #expect(alphabet.filter { Base64URL.decode("AA\($0)") != nil }.count == 16)
    #expect(alphabet.filter { Base64URL.decode("AAA\($0)") != nil }.count == 64)
  }
}
