import HTTP
import Testing

@Suite struct QueryParametersTests {
  @Test func pairsAreDecoded() throws {
    let query = try QueryParameters("a=1&b=x+y%2Bz&c&=d&a=2&e=%E2%82%AC=&&")
    #expect(query["a"] == "1")
    #expect(query["b"] == "x y+z")
    #expect(query["c"] == "")
    #expect(query["e"] == "€=")
    #expect(query["f"] == nil)
    #expect(query.names == ["a", "b", "c", "", "a", "e"])
  }

  @Test func anEmptyQueryHasNoParameters() throws {
    #expect(try QueryParameters("").names.isEmpty)
  }

  @Test(arguments: ["a=%", "a=%4", "a=%zz", "a=%-1", "%=1", "a=%FF", "a=%C0%80", "a=%00"])
  func badEscapesAreErrors(raw: String) {
    #expect(throws: QueryParameters.Failure.malformed) { try QueryParameters(raw) }
  }

  @Test func theNumberOfPairsIsBounded() throws {
    let pairs = (1...QueryParameters.maximumCount).map { "a\($0)=" }
    #expect(try QueryParameters(pairs.joined(separator: "&")).names.count == 64)
    #expect(throws: QueryParameters.Failure.tooMany) {
      try QueryParameters((pairs + ["b="]).joined(separator: "&"))
    }
  }

  @Test func aPlusIsASpaceInQueriesOnly() throws {
    #expect(try PercentEncoding.decode("a+b%20c") == "a+b c")
    #expect(try PercentEncoding.decode("a+b%20c", plusIsSpace: true) == "a b c")
  }

  @Test func encodingLeavesTheUnreservedAlone() throws {
    #expect(PercentEncoding.encode("aZ09-._~") == "aZ09-._~")
    #expect(PercentEncoding.encode("a/b?c#d e%ü") == "a%2Fb%3Fc%23d%20e%25%C3%BC")
    #expect(try PercentEncoding.decode(PercentEncoding.encode("a/ü €")) == "a/ü €")
  }
}
