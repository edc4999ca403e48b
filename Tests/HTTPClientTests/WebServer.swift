// server.py in a process of its own, and certificates that openssl(1) made for it.

import Glibc
import HTTP
import HTTPClient
import Synchronization
import System

extension HTTPExchangeLimits {
  /// Of tests that are not about time.
  static var patient: HTTPExchangeLimits {
    HTTPExchangeLimits(
      connectMilliseconds: 60_000, totalMilliseconds: 60_000, idleMilliseconds: 600_000)
  }
}

final class WebServer: Sendable {
  let port: UInt16
  private let host: String
  private let arguments: [String]
  private let process: Mutex<Process?>

  /// Ends with its socket, and so with the tests' process, however that ends.
  private struct Process {
    let id: pid_t
    let socket: Int32
  }

  /// For all tests that need none of their own.
  static let plain = started()
  static let secure = started(Certificates.shared.good)

  private static func started(_ certificate: Certificates.Server? = nil) -> WebServer {
    do { return try WebServer(certificate) } catch { preconditionFailure("\(error)") }
  }

  init(
    _ certificate: Certificates.Server? = nil, tls version: String? = nil,
    host: String = "127.0.0.1", restarts: Bool = false
  ) throws {
    self.host = host
    arguments = (certificate.map { [$0.certificate, $0.key] } ?? []) + (version.map { [$0] } ?? [])
    let (process, port) =
      restarts ? try Self.startAnywhere(host, arguments) : try Self.start(host, 0, arguments)
    self.port = port
    self.process = Mutex(process)
  }

  deinit { stop() }

  /// On the same port as before; of a server that was made to restart.
  func restart() throws {
    stop()
    let process = try Self.start(host, port, arguments).0
    self.process.withLock { $0 = process }
  }

  func stop() {
    process.withLock { process in
      guard let ended = process else { return }
      kill(ended.id, SIGKILL)
      var status: Int32 = 0
      waitpid(ended.id, &status, 0)
      close(ended.socket)
      process = nil
    }
  }

  func url(_ path: String, host: String = "127.0.0.1") throws -> HTTPURL {
    try HTTPURL("\(arguments.isEmpty ? "http" : "https")://\(host):\(port)\(path)")
  }

  /// On a port below those that the kernel gives to connections: one of them would take it between stop and start.
  private static func startAnywhere(_ host: String, _ arguments: [String]) throws -> (
    Process, UInt16
  ) {
    for _ in 0..<20 {
      if let started = try? start(host, .random(in: 10_000..<17_000), arguments) { return started }
    }
    throw SystemError(errno: EADDRINUSE, call: "start server.py")
  }

  private static func start(
    _ host: String, _ port: UInt16, _ arguments: [String]
  ) throws -> (Process, UInt16) {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw SystemError(call: "socketpair") }
    let far = Descriptor(ends[1])
    let null = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC))
    let script = String(#filePath.dropLast("WebServer.swift".count)) + "server.py"
    let id = try spawn(
      program: "/usr/bin/env",
      arguments: ["python3", "-S", "-E", script, host, "\(port)"] + arguments,
      environment: ["PATH=/usr/local/bin:/usr/bin:/bin"], standardInput: null.raw,
      inherited: [(far.raw, 3)])
    close(far.release())
    var line = [UInt8](repeating: 0, count: 16)
    let count = read(ends[0], &line, line.count)
    guard count > 1, let port = UInt16(String(decoding: line[..<(count - 1)], as: UTF8.self)) else {
      throw SystemError(errno: ECHILD, call: "start server.py")
    }
    return (Process(id: id, socket: ends[0]), port)
  }
}

/// A folder with an authority's certificate and servers' ones, made once.
final class Certificates: Sendable {
  struct Server {
    let certificate: String
    let key: String
  }

  static let shared = Certificates()

  private let folder = "/tmp/chattrix-https-\(Randomness.system.hexadecimal(bytes: 8))"

  var authority: String { "\(folder)/authority.pem" }
  /// For `localhost` and 127.0.0.1.
  var good: Server { server("good") }
  /// For `localhost`, but over since yesterday.
  var expired: Server { server("expired") }
  /// For `other.test`.
  var other: Server { server("other") }
  /// Names `localhost` as its subject only.
  var subjectOnly: Server { server("subject") }
  /// For `localhost`, of an authority that nobody knows.
  var selfSigned: Server { server("stranger") }

  private func server(_ name: String) -> Server {
    Server(certificate: "\(folder)/\(name).pem", key: "\(folder)/\(name).key")
  }

  private func remove() {
    for name in (try? listFolder(folder)) ?? [] { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }

  private init() {
    mkdir(folder, 0o700)
    let null = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC))
    let child = try? spawn(
      program: "/bin/sh", arguments: ["-ec", Self.script, "sh", folder],
      environment: ["PATH=/usr/local/bin:/usr/bin:/bin"], standardInput: null.raw)
    var status: Int32 = 0
    atexit { Certificates.shared.remove() }
    precondition(child != nil && waitpid(child!, &status, 0) > 0 && status == 0, "openssl failed")
  }

  private static let script = """
    cd "$1"
    request() {
      openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" \
        -subj "/CN=${3:-server}" ${2:+-addext "subjectAltName=$2"} -out "$1.csr" 2>log
    }
    issue() {
      request "$1" "$3" "$4"
      openssl x509 -req -in "$1.csr" -CA authority.pem -CAkey authority.key -days "$2" \
        -copy_extensions copy -out "$1.pem" 2>log
    }
    request authority '' 'Authority of the tests'
    openssl x509 -req -in authority.csr -signkey authority.key -days 2 -out authority.pem 2>log
    issue good 2 DNS:localhost,IP:127.0.0.1
    issue expired -1 DNS:localhost
    issue other 2 DNS:other.test
    issue subject 2 '' localhost
    request stranger DNS:localhost
    openssl x509 -req -in stranger.csr -signkey stranger.key -days 2 -copy_extensions copy \
      -out stranger.pem 2>log
    """
}
