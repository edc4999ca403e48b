import Redis
import System
import Testing

@Suite struct RedisAddressTests {
  @Test func tcpWithEverything() throws {
    let address = try RedisAddress(url: "redis://me:p%40ss%2F@[::1]:6380/3")
    #expect(address.socket == .tcp(host: "::1", port: 6380))
    #expect(address.user == "me")
    #expect(address.password == "p@ss/")
    #expect(address.database == 3)
  }

  @Test(arguments: ["redis://localhost", "redis://localhost/", "redis://localhost:6379/0"])
  func tcpHasDefaults(url: String) throws {
    let address = try RedisAddress(url: url)
    #expect(address.socket == .tcp(host: "localhost", port: 6379))
    #expect(address.user == nil && address.password == nil)
    #expect(address.database == 0)
  }

  @Test(arguments: ["unix:///run/redis.sock?db=2", "redis+unix:///run/redis.sock?db=2"])
  func unixPaths(url: String) throws {
    let address = try RedisAddress(url: url)
    #expect(address.socket == .unix(path: "/run/redis.sock"))
    #expect(address.database == 2)
  }

  @Test func aPasswordNeedsNoUser() throws {
    let address = try RedisAddress(url: "unix://:secret@/run/redis.sock")
    #expect(address.user == nil)
    #expect(address.password == "secret")
    #expect(address.socket == .unix(path: "/run/redis.sock"))
  }

  @Test("§10 several servers, each a URL of its own; other commas belong to their URL")
  func lists() throws {
    let found = try RedisAddress.list("redis://:a,b@one,redis://two:1/3,unix:///run/c,d")
    #expect(
      found.map(\.socket) == [
        .tcp(host: "one", port: 6379), .tcp(host: "two", port: 1), .unix(path: "/run/c,d"),
      ])
    #expect(found[0].password == "a,b")
    #expect(found[1].database == 3)
    for text in ["", ",", ",redis://one", "redis://one,rediss://two"] {
      #expect(throws: RedisAddress.Malformed.self) { try RedisAddress.list(text) }
    }
    let many = Array(repeating: "redis://one", count: 9).joined(separator: ",")
    #expect(throws: RedisAddress.Malformed.self) { try RedisAddress.list(many) }
  }

  @Test(arguments: [
    "", "localhost:6379", "rediss://localhost", "http://localhost", "redis://", "redis://:6379",
    "redis://localhost:0", "redis://localhost:65536", "redis://localhost/x", "redis://localhost/-1",
    "redis://nobody@localhost", "redis://a:%zz@localhost", "unix://relative",
    "unix:///p?database=1", "unix:///p?db=x",
  ])
  func whatIsNoAddressIsRefusedWithoutRepeatingIt(url: String) {
    #expect {
      try RedisAddress(url: url)
    } throws: {
      guard let fault = $0 as? RedisAddress.Malformed else { return false }
      return !fault.description.contains("localhost")
    }
  }
}
