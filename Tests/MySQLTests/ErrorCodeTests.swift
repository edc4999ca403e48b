import Testing

@testable import MySQL

@Suite struct ErrorCodeTests {
  @Test(
    "a connection that is gone is unavailable, whichever server says so",
    arguments: [2002, 2003, 2006, 2013, 1053, 1040, 1927, 4031, 3169] as [UInt32])
  func unavailable(code: UInt32) {
    let error = MySQLError(code: code, message: "")
    #expect(error.isUnavailable)
    #expect(!error.isConflict)
  }

  @Test("a mistake is neither", arguments: [1045, 1049, 1064, 1146, 1062, 1406, 2034] as [UInt32])
  func mistakes(code: UInt32) {
    let error = MySQLError(code: code, message: "")
    #expect(!error.isUnavailable)
    #expect(!error.isConflict)
    #expect(error.isDuplicate == (code == 1062))
  }
}
