// URLs that requests are sent to (contract §8.1, RFC 3986).

import HTTP
import Testing

@Suite struct HTTPURLTests {
  @Test(arguments: [
    ("https://hooks.example.org", true, "hooks.example.org", 443, "/", "hooks.example.org"),
    ("http://localhost:8080/a/b?c=d", false, "localhost", 8080, "/a/b?c=d", "localhost:8080"),
    ("HTTPS://Hooks.Example.ORG:443/A", true, "hooks.example.org", 443, "/A", "hooks.example.org"),
    ("http://127.0.0.1:80/", false, "127.0.0.1", 80, "/", "127.0.0.1"),
    ("http://example.org:443/", false, "example.org", 443, "/", "example.org:443"),
    ("https://example.org?x=/y", true, "example.org", 443, "/?x=/y", "example.org"),
    ("https://[2001:DB8::1]/x", true, "2001:db8::1", 443, "/x", "[2001:db8::1]"),
    ("http://[::1]:65535", false, "::1", 65535, "/", "[::1]:65535"),
  ])
  func parts(
    text: String, isSecure: Bool, host: String, port: Int, target: String, authority: String
  ) throws {
    let url = try HTTPURL(text)
    #expect(url.isSecure == isSecure && url.host == host && url.port == port)
    #expect(url.target == target && url.authority == authority)
  }

  @Test("in a target everything but blanks, control characters and # goes")
  func target() throws {
    #expect(try HTTPURL("https://a_b.test/%20:@//?a@b:c/\"{}|").target == "/%20:@//?a@b:c/\"{}|")
  }

  @Test("§8.1 what may be sent to without TLS")
  func loopback() throws {
    for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.255.255.254", "[::1]", "[0:0::1]"] {
      #expect(try HTTPURL("http://\(host):1/").isLoopback, "\(host)")
    }
    for host in [
      "example.org", "localhost.example.org", "128.0.0.1", "[::]", "[::2]", "[::ffff:127.0.0.1]",
      "127.0.0.1.example.org", "10.0.0.1", "0.0.0.0",
    ] {
      #expect(try !HTTPURL("http://\(host)/").isLoopback, "\(host)")
    }
  }

  @Test(arguments: [
    ("", HTTPURLError.scheme), ("example.org", .scheme), ("ftp://example.org/", .scheme),
    ("https:/example.org", .scheme), ("//example.org", .scheme), ("ws://example.org", .scheme),
    (" https://example.org", .badCharacter), ("https://example.org/a b", .badCharacter),
    ("https://example.org/\r\nX: y", .badCharacter), ("https://example.org/\u{0}", .badCharacter),
    ("https://bücher.example", .badCharacter), ("https://example.org/\u{7F}", .badCharacter),
    ("https://user@example.org/", .userInformation), ("https://u:p@h/", .userInformation),
    ("https://example.org/#x", .fragment), ("https://example.org#", .fragment),
    ("https://", .host), ("https:///path", .host), ("https://:80/", .host), ("https://?q", .host),
    ("https://a..b/", .host), ("https://a./", .host), ("https://.a/", .host),
    ("https://-a/", .host),
    ("https://a-/", .host), ("https://a%41/", .host), ("https://a\\b/", .host),
    ("https://127.1/", .host), ("https://2130706433/", .host), ("https://0x7f.1/", .host),
    ("https://127.0.0.256/", .host), ("https://127.0.0.01/", .host), ("https://1.2.3.4.5/", .host),
    ("https://[::1/", .host), ("https://[]/", .host), ("https://[::g]/", .host),
    ("https://[fe80::1%25eth0]/", .host), ("https://[127.0.0.1]/", .host), ("https://::1/", .host),
    ("https://a:/", .port), ("https://a:0/", .port), ("https://a:65536/", .port),
    ("https://a:+1/", .port), ("https://a:x/", .port), ("https://[::1]x/", .port),
  ])
  func refused(text: String, expected: HTTPURLError) {
    #expect(throws: expected, "\(text)") { try HTTPURL(text) }
  }

  @Test func lengths() throws {
    let start = "https://a/"
    #expect(throws: Never.self) {
      try HTTPURL(start + String(repeating: "x", count: 2048 - start.utf8.count))
    }
    #expect(throws: HTTPURLError.tooLong) {
      try HTTPURL(start + String(repeating: "x", count: 2049 - start.utf8.count))
    }
    let label = String(repeating: "a", count: 63)
    #expect(try HTTPURL("https://\(label).b").host.utf8.count == 65)
    #expect(throws: HTTPURLError.host) { try HTTPURL("https://\(label)a.b") }
    let long = [label, label, label, label].joined(separator: ".")
    #expect(throws: HTTPURLError.host) { try HTTPURL("https://\(long)") }
  }

  @Test func noErrorShowsTheURL() {
    for text in ["https://u:s3cret@h/", "https://h/s3cret#", "s3cret"] {
      #expect { try HTTPURL(text) } throws: { !"\($0)".contains("s3cret") }
    }
  }
}
