// Origins as browsers and native clients write them (contract §7.15, RFC 6454).

import HTTP
import Testing

@Suite struct HTTPOriginTests {
  @Test(
    "§7.15 scheme and host in lower case, the default port left out",
    arguments: [
      ("https://app.example.org", "https://app.example.org"),
      ("https://Calls.Example.org:443", "https://calls.example.org"),
      ("HTTPS://app.example.org:8443", "https://app.example.org:8443"),
      ("http://localhost:80", "http://localhost"),
      ("http://localhost:3000", "http://localhost:3000"),
      ("wss://a.example:443", "wss://a.example"), ("ws://a.example:443", "ws://a.example:443"),
      ("capacitor://localhost", "capacitor://localhost"),
      ("https://[2001:DB8::1]:443", "https://[2001:db8::1]"),
      ("https://192.0.2.1", "https://192.0.2.1"),
      ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
      ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
    ])
  func normalized(text: String, expected: String) {
    #expect(HTTPOrigin.normalized(text) == expected)
  }

  @Test(
    "§7.15 what can match no origin",
    arguments: [
      "", "null", "*", "app.example.org", "https://", "https:///", "https://app.example.org/",
      "https://app.example.org/path", "https://user@app.example.org", "https://app.example.org?q",
      "https://app.example.org#f", "https://*.example.org", "https://app example.org",
      " https://app.example.org", "https://app.example.org ", "https://app.example.org:",
      "https://app.example.org:0", "https://app.example.org:65536", "https://app.example.org:x",
      "https://bücher.example", "1http://a.example", "https//a.example", "https:/a.example", "://a",
      "https://[::1", "https://[]", "https://a,b", "file://",
    ])
  func refused(text: String) {
    #expect(HTTPOrigin.normalized(text) == nil)
  }

  @Test(
    "§7.15 the host's own, by any of four schemes and with or without the default port",
    arguments: [
      ("https://calls.example.org", "calls.example.org"),
      ("wss://calls.example.org", "calls.example.org"),
      ("ws://calls.example.org", "calls.example.org"),
      ("http://calls.example.org", "calls.example.org"),
      ("wss://Calls.Example.ORG:443", "calls.example.org"),
      ("wss://calls.example.org", "calls.example.org:443"),
      ("https://localhost:8443", "localhost:8443"), ("wss://localhost:8443", "LOCALHOST:8443"),
      ("wss://[::1]:8443", "[::1]:8443"), ("http://calls.example.org:80", "calls.example.org"),
    ])
  func own(origin: String, host: String) {
    #expect(HTTPOrigin.isOwn(origin, host: host))
  }

  @Test(
    "§7.15 another host's",
    arguments: [
      ("https://evil.example", "calls.example.org"),
      ("wss://calls.example.org.evil.example", "calls.example.org"),
      ("wss://calls.example.org:8443", "calls.example.org"),
      ("wss://calls.example.org", "calls.example.org:8443"),
      ("capacitor://calls.example.org", "calls.example.org"), ("null", "calls.example.org"),
      ("https://calls.example.org", ""), ("https://calls.example.org/", "calls.example.org"),
      ("ftp://calls.example.org", "calls.example.org"),
      ("https://a@calls.example.org", "calls.example.org"),
      ("ws://calls.example.org:443", "calls.example.org"),
    ])
  func foreign(origin: String, host: String) {
    #expect(!HTTPOrigin.isOwn(origin, host: host))
  }
}
