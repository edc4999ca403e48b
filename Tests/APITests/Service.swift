// A worker's application on a database of a suite's own, with its log in a file, and people to ask it
// things.

import API
import Calls
import Configuration
import Glibc
import HTTP
import JSON
import JWT
import MySQL
import Redis
import Storage
import System
import TestServers
import Testing

extension TestServer {
  /// What a worker's environment would be.
  static func worker(database: String) -> [String: String] {
    [
      "AGORA_APP_ID": "970ca35de60c44645bbae8a215061b33",
      "AGORA_APP_CERTIFICATE": "5cfd2fd1755d40ecb72977518be15d3b",
      "JWT_SECRET": secret, "MYSQL_DATABASE": database,
      "MYSQL_SOCKET": socket ?? "/none", "MYSQL_USER": user, "MYSQL_PASSWORD": password,
      "RATE_LIMIT_TOKEN_GENERATE": "0", "RATE_LIMIT_TOKEN_REFRESH": "0",
      "RATE_LIMIT_CALL_INITIATE": "0", "RATE_LIMIT_CALL_HISTORY": "0",
      "RATE_LIMIT_QUALITY": "0", "RATE_LIMIT_TICKET": "0", "RATE_LIMIT_OTHER": "0",
    ]
  }

  static let secret = "a secret of thirty-two bytes, at least"
}

/// Log lines in a file that goes with this object.
final class LogFile {
  private let descriptor: Descriptor

  init() throws {
    let path = "/tmp/chattrix-log-" + Randomness.system.hexadecimal(bytes: 8)
    descriptor = Descriptor(open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
    unlink(path)
  }

  var log: Log { Log(program: "test", level: .debug, descriptor: descriptor.raw) }

  var text: String {
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = pread(descriptor.raw, &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  /// Each line as JSON; null for a line that is none.
  var lines: [JSONValue] {
    text.split(separator: "\n").map { (try? JSONParser.parse(Array($0.utf8))) ?? .null }
  }

  func lines(_ event: String) -> [JSONValue] { lines.filter { $0["event"]?.stringValue == event } }
}

struct Answer {
  let response: HTTPResponse
  let body: JSONValue

  init(_ response: HTTPResponse) {
    self.response = response
    body = (try? JSONParser.parse(response.body)) ?? .null
  }

  var status: Int { response.status }
  var data: JSONValue { body["data"] ?? .null }
  var code: String? { body["error"]?["code"]?.stringValue }
  var details: JSONValue? { body["error"]?["details"] }

  /// Fields and codes of a VALIDATION_ERROR.
  var faults: [String: String] {
    (details?.arrayValue ?? []).reduce(into: [:]) { faults, fault in
      faults[fault["field"]?.stringValue ?? "?"] = fault["code"]?.stringValue
    }
  }

  subscript(header: String) -> String? { response.headers[header] }
}

struct Service {
  let application: Application
  let database: Database
  let calls: CallStore
  let people: People
  /// Beside the application's own.
  let connection: MySQLConnection
  let logFile: LogFile

  init(
    redis: RedisConnection? = nil, environment: [String: String] = [:],
    mysql: MySQLOptions? = nil
  ) throws {
    let worker = TestServer.worker(database: TestDatabase.current.name)
    let configuration = try Configuration(
      environment: worker.merging(environment) { $1 })
    logFile = try LogFile()
    database = Database(mysql ?? configuration.mysql)
    application = Application(
      APISettings(configuration), authenticator: Authenticator(configuration.jwt),
      database: database, redis: redis, log: logFile.log)
    let own = Database(configuration.mysql)
    calls = CallStore(own, settings: CallSettings(configuration), hints: Hints(redis: nil))
    people = People(own)
    connection = try MySQLConnection(configuration.mysql)
  }

  static func token(_ user: String, expiresIn seconds: Int64 = 600) -> String {
    let now = Timestamp.now().seconds
    let signer = JWTSigner(secret: Array(TestServer.secret.utf8))!
    return signer.sign(subject: user, issuedAt: now, expiresAt: now + seconds)
  }

  /// - Parameters:
  ///   - target: Path below /api/v1/, with its query.
  ///   - body: A JSON text; sent as application/json.
  func ask(
    _ method: HTTPMethod, _ target: String, as user: String?, _ body: String? = nil,
    headers: HTTPHeaders = [:]
  ) -> Answer {
    let parts = target.split(separator: "?", maxSplits: 1)
    var request = HTTPRequest(
      method: method, path: "/api/v1/" + (parts.first ?? ""),
      query: parts.count > 1 ? String(parts[1]) : "", requestId: "request-1")
    if let user { request.headers["Authorization"] = "Bearer " + Service.token(user) }
    if let body {
      request.headers["Content-Type"] = "application/json"
      request.body = Array(body.utf8)
    }
    for field in headers.fields { request.headers[field.name] = field.value }
    return Answer(application.respond(to: request))
  }

  /// Two users who are each other's contacts.
  func pair() throws -> (caller: String, callee: String) {
    let suffix = Randomness.system.hexadecimal(bytes: 4)
    let pair = (caller: "caller-\(suffix)", callee: "callee-\(suffix)")
    for id in [pair.caller, pair.callee] {
      try people.add(Person(id: id, username: "u", fullName: "U \(id)", avatar: nil))
    }
    try people.setContact(of: pair.caller, to: pair.callee, .accepted)
    try people.setContact(of: pair.callee, to: pair.caller, .accepted)
    return pair
  }

  func ring(_ pair: (caller: String, callee: String)) throws -> Call {
    try calls.initiate(
      from: pair.caller, to: pair.callee, type: .video, idempotencyKey: nil
    ).details.call
  }

  func connect(_ pair: (caller: String, callee: String)) throws -> Call {
    try calls.accept(try ring(pair).id, by: pair.callee, from: Origin())
  }

  func count(_ sql: String, _ values: [MySQLValue] = []) throws -> Int {
    Int(try connection.queryRow(sql, values)?.int(0) ?? 0)
  }
}
