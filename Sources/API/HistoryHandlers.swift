// Call history (R6), its badge (contract §11.1) and statistics (R15).

import Calls
import JSON
import MySQL
import Storage
import System

struct HistoryHandlers {
  let history: HistoryStore
  let statistics: StatisticsStore

  static let maximumLimit = 100
  /// No history has as many; offsets stay within 64 bits. A higher number is a fault.
  static let maximumPage = 1_000_000_000_000

  func list(_ context: Context) throws -> Reply {
    var fields = context.fields()
    var query = HistoryQuery()
    query.limit = fields.queryNumber(
      "limit", .invalidLimit, in: 1...Self.maximumLimit, standard: 20,
      clampingAbove: Self.maximumLimit)
    query.callType = fields.queryWord(
      "callType", .invalidCallType, among: CallType.self, allowsAll: true)
    query.status = fields.queryWord(
      "status", .invalidStatus, among: HistoryStatus.self, allowsAll: true)
    let page = fields.queryNumber(
      "page", .invalidPage, in: 1...Self.maximumPage, standard: 1)
    query.position = .page(page)
    if let text = context.query["cursor"] {
      if let cursor = HistoryCursor(wire: text) {
        query.position = .after(cursor)
      } else {
        fields.fault("cursor", .invalidCursor, "cursor must be a nextCursor of ours.")
      }
    }
    try fields.check()
    // The rows become JSON while they are read.
    var json = JSONWriter(reserving: 8192)
    let result = try history.page(of: context.userId, query) {
      json.reset()
      json.beginObject()
      json.key("calls")
      json.beginArray()
    } entry: {
      json.historyEntry($0)
    }
    json.endArray()
    result.writePagination(to: &json, query)
    json.endObject()
    return Reply(json)
  }

  func delete(_ context: Context) throws -> Reply {
    try context.fields().check()
    try history.delete(context.callId, of: context.userId)
    return .object { json in
      json.member("callId", context.callId.lowercased())
      json.member("deleted", true)
    }
  }

  func unseen(_ context: Context) throws -> Reply {
    try context.fields().check()
    let missed = try history.unseenMissed(of: context.userId)
    return .object { $0.member("missed", missed) }
  }

  func see(_ context: Context) throws -> Reply {
    var fields = context.fields()
    let origin = fields.origin()
    try fields.check()
    try history.see(by: context.userId, from: origin)
    return .object { HistorySeen.writeMembers(to: &$0) }
  }

  func statistics(_ context: Context) throws -> Reply {
    var fields = context.fields()
    let period = fields.queryWord(
      "period", .invalidPeriod, among: StatisticsPeriod.self, allowsAll: false)
    try fields.check()
    let chosen = period ?? .month
    let (counts, from, to) = try statistics.statistics(of: context.userId, over: chosen)
    return .object { json in
      json.member("period", chosen.rawValue)
      json.member("from", from.iso8601)
      json.member("to", to.iso8601)
      counts.writeMembers(to: &json)
    }
  }
}

extension JSONWriter {
  fileprivate mutating func historyEntry(_ row: borrowing MySQLRow) {
    beginObject()
    key("id")
    string(row.text(HistoryColumn.id.rawValue))
    plain("callId", row, .callId)
    member("remoteUserId", row, .remoteUserId)
    member("remoteUserName", row, HistoryColumn.name(in: row))
    member("remoteUserAvatar", row, HistoryColumn.avatar(in: row))
    plain("callType", row, .callType)
    plain("status", row, .status)
    plain("direction", row, .direction)
    plain("endReason", row, .endReason)
    key("timestamp")
    if let time = row.time(HistoryColumn.timestamp.rawValue) {
      let text = time.iso8601Bytes
      string(plain: text.span)
    } else {
      null()
    }
    member("durationSeconds", row.int(HistoryColumn.durationSeconds.rawValue))
    endObject()
  }

  /// An id of ours or a word of an enumeration.
  private mutating func plain(
    _ name: StaticString, _ row: borrowing MySQLRow, _ column: HistoryColumn
  ) {
    key(name)
    if row.withUTF8(column.rawValue, { string(plain: $0) }) == nil { null() }
  }

  /// A column as it is, as text; null where there is none.
  private mutating func member(
    _ name: StaticString, _ row: borrowing MySQLRow, _ column: HistoryColumn?
  ) {
    key(name)
    guard let column, row.withUTF8(column.rawValue, { string(utf8: $0) }) != nil else {
      return null()
    }
  }
}

extension HistoryPage {
  /// A walk by cursor has no page number: `page` is null then.
  fileprivate func writePagination(to json: inout JSONWriter, _ query: HistoryQuery) {
    var page: Int?
    if case .page(let number) = query.position { page = number }
    let next = hasMore ? last : nil
    json.key("pagination")
    json.beginObject()
    json.member("page", page)
    json.member("limit", query.limit)
    json.member("total", total)
    json.member("totalPages", (total + query.limit - 1) / query.limit)
    json.member("hasNextPage", hasMore)
    json.member("hasPrevPage", page.map { $0 > 1 } ?? true)
    json.member("nextCursor", next?.wire)
    json.endObject()
  }
}

extension CallStatistics {
  fileprivate func writeMembers(to json: inout JSONWriter) {
    json.member("totalCalls", totalCalls)
    json.key("callsByType")
    json.beginObject()
    for type in CallType.allCases {
      json.key(text: type.rawValue)
      json.int(count(type))
    }
    json.endObject()
    json.key("callsByStatus")
    json.beginObject()
    for status in HistoryStatus.allCases {
      json.key(text: status.rawValue)
      json.int(count(status))
    }
    json.endObject()
    json.member("totalDurationMinutes", totalMinutes)
    json.member("averageCallDurationMinutes", averageMinutes)
  }
}

extension HistoryCursor {
  /// Opaque to clients: `milliseconds.id`, in decimal digits only, so that the API's description can
  /// say which texts are cursors.
  var wire: String { "\(timestamp.milliseconds).\(id)" }

  init?(wire: String) {
    let parts = wire.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 2, (1...14).contains(parts[0].count), (1...18).contains(parts[1].count),
      parts.joined().allSatisfy({ (48...57).contains($0) }),
      let milliseconds = Int64(Substring(parts[0])), let id = Int64(Substring(parts[1]))
    else { return nil }
    self.init(timestamp: Timestamp(milliseconds: milliseconds), id: id)
  }
}
