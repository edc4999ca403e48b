// server.py in a process of its own, and certificates that openssl(1) made for it.

import Glibc
import HTTP
import HTTPClient
import System

final class WebServer {
  private(set) var port: UInt16 = 0
  private let arguments: [String]
  private var child: pid_t = 0

  init(_ certificate: Certificates.Server? = nil, tls version: String? = nil) throws {
    arguments = (certificate.map { [$0.certificate, $0.key] } ?? []) + (version.map { [$0] } ?? [])
    try start()
  }

  deinit { stop() }

  /// On the same port as before, if it has been started before.
  func start() throws {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw SystemError(call: "socketpair") }
    let input = Descriptor(ends[0])
    let output = Descriptor(ends[1])
    let null = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC))
    let script = #filePath.dropLast("WebServer.swift".count) + "server.py"
    child = try spawn(
      program: "/usr/bin/env",
      arguments: ["python3", "-S", "-E", String(script), "\(port)"] + arguments,
      environment: ["PATH=/usr/local/bin:/usr/bin:/bin"], standardInput: null.raw,
      inherited: [(output.raw, 3)])
    close(output.release())
    var line = [UInt8](repeating: 0, count: 16)
    let count = read(input.raw, &line, line.count)
    guard count > 1, let port = UInt16(String(decoding: line[..<(count - 1)], as: UTF8.self)) else {
      throw SystemError(errno: ECHILD, call: "start server.py")
    }
    self.port = port
  }

  func stop() {
    guard child > 0 else { return }
    kill(child, SIGKILL)
    var status: Int32 = 0
    waitpid(child, &status, 0)
    child = 0
  }

  func url(_ path: String, host: String = "127.0.0.1") throws -> HTTPURL {
    try HTTPURL("\(isSecure ? "https" : "http")://\(host):\(port)\(path)")
  }

  private var isSecure: Bool { !arguments.isEmpty }
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
  /// For `localhost`, 127.0.0.1 and *.wild.test.
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

  private init() {
    mkdir(folder, 0o700)
    let null = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC))
    let child = try? spawn(
      program: "/bin/sh", arguments: ["-ec", Self.script, "sh", folder],
      environment: ["PATH=/usr/local/bin:/usr/bin:/bin"], standardInput: null.raw)
    var status: Int32 = 0
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
    issue good 2 DNS:localhost,IP:127.0.0.1,DNS:*.wild.test
    issue expired -1 DNS:localhost
    issue other 2 DNS:other.test
    issue subject 2 '' localhost
    request stranger DNS:localhost
    openssl x509 -req -in stranger.csr -signkey stranger.key -days 2 -copy_extensions copy \
      -out stranger.pem 2>log
    """
}
