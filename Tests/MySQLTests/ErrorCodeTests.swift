import Testing

@testable import MySQL

@Suite struct ErrorCodeTests {
  @Test(
    "a connection that is gone is unavailable, whichever server says so",
    arguments: [2002, 2003, 2006, 2007, 2013, 1053, 1040, 1927, 4031, 3169] as [UInt32])
  func unavailable(code: UInt32) {
    let error = MySQLError(code: code, message: "")
    #expect(error.isUnavailable)
    #expect(!error.isConflict)
  }

  @Test(
    "§7.14 a server that refuses for now is unavailable, and has written nothing",
    arguments: [
      1290, 1036, 1836, 1874, 1792, 3989, 1047, 1021, 1026, 1114, 1040, 1203, 1226, 1129, 1037,
      1041, 1135, 1461, 3032, 6400, 6401, 3098, 3781, 3783, 3796, 3797,
    ] as [UInt32])
  func refused(code: UInt32) {
    let error = MySQLError(code: code, message: "")
    #expect(error.isUnavailable)
    #expect(error.isRefused)
    #expect(!error.isConflict)
  }

  @Test(
    "§7.14 where a COMMIT's outcome may be unknown it is unavailable, and nothing is said of what was written",
    arguments: [2013, 1053, 1180, 1317, 3100] as [UInt32])
  func unknownOutcome(code: UInt32) {
    let error = MySQLError(code: code, message: "")
    #expect(error.isUnavailable)
    #expect(!error.isRefused)
  }

  @Test(
    "a transaction that was given up for another runs again",
    arguments: [1213, 1205, 1020, 3101] as [UInt32])
  func conflicts(code: UInt32) {
    let error = MySQLError(code: code, message: "")
    #expect(error.isConflict)
    #expect(!error.isUnavailable)
  }

  @Test("a mistake is neither", arguments: [1045, 1049, 1064, 1146, 1062, 1406, 2034] as [UInt32])
  func mistakes(code: UInt32) {
    let error = MySQLError(code: code, message: "")
    #expect(!error.isUnavailable)
    #expect(!error.isConflict)
    #expect(error.isDuplicate == (code == 1062))
  }

  @Test(
    "a duplicate is in the key that the message names, in whatever words",
    arguments: [
      "Duplicate entry 'u-k' for key 'calls_one'",
      "Duplicate entry 'u-k' for key 'calls.calls_one'",
      "Doppelter Eintrag 'u-k' für Schlüssel 'calls_one'", "calls_one",
    ])
  func duplicates(message: String) {
    let error = MySQLError(code: 1062, message: message)
    #expect(error.isDuplicate(in: "calls_one"))
    #expect(!error.isDuplicate(in: "calls_two"))
    #expect(!error.isDuplicate(in: "calls_one_and_more"))
    #expect(!MySQLError(code: 1064, message: message).isDuplicate(in: "calls_one"))
  }

  @Test("a message without words names no key")
  func emptyMessage() {
    #expect(!MySQLError(code: 1062, message: "").isDuplicate(in: "calls_one"))
  }
}
