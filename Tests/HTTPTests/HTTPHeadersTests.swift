import HTTP
import Testing

@Suite struct HTTPHeadersTests {
  @Test func namesAreComparedWithoutCase() {
    let headers: HTTPHeaders = ["Content-Type": "text/plain"]
    #expect(headers["content-TYPE"] == "text/plain")
    #expect(headers["Content-Typ"] == nil)
    // '@' and '`' differ in the bit that tells upper from lower case, and are no letters.
    #expect(!HTTPHeaders.sameName("a@", "a`"))
  }

  @Test func settingReplacesEveryFieldOfTheName() {
    var headers: HTTPHeaders = [:]
    headers.append("Vary", "Origin")
    headers.append("X", "1")
    headers.append("vary", "Accept")
    headers["VARY"] = "Cookie"
    #expect(headers.values("Vary") == ["Cookie"])
    #expect(headers.fields.map(\.name) == ["Vary", "X"])
    headers["vary"] = nil
    #expect(headers.count == 1)
  }

  @Test func listsRunOverLinesAndSkipEmptyElements() {
    var headers: HTTPHeaders = [:]
    headers.append("Connection", "keep-alive, \tUpgrade ,,")
    headers.append("connection", "TE")
    #expect(headers.list("Connection") == ["keep-alive", "Upgrade", "TE"])
    #expect(headers.list("Upgrade").isEmpty)
  }
}
