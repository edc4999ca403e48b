// What the doctor looks at on the host itself: Redis, and the sockets of the workers and of the WebSocket server.

import Configuration
import Glibc
import HTTP
import HTTPClient
import Redis
import Storage
import System

struct HostChecks {
  private let configuration: Configuration

  private static let connectMilliseconds: Int32 = 2000

  init(_ configuration: Configuration) { self.configuration = configuration }

  func run() -> [Finding] {
    [redis(), workers(), webSocketServer()]
  }

  /// Tries what rate limits and tickets need, as `/readyz` does (contract §7.14), and what hints need: a user
  /// by an ACL may have no right to scripts or channels (redis.io/docs/management/security/acl).
  private func redis() -> Finding {
    let connection = RedisConnection(addresses: configuration.redis)
    do throws(RedisError) {
      _ = try connection.command("SETEX", "chattrix:ready", "60", "1")
      _ = try connection.command("EVAL", "return redis.call('GET', KEYS[1])", 1, "chattrix:ready")
      _ = try connection.command("PUBLISH", .init(Hints.channel(of: "")), "1")
      let subscriber = RedisSubscriber(
        addresses: configuration.redis, channels: [Hints.channel(of: "")])
      _ = try subscriber.next(timeoutMilliseconds: Self.connectMilliseconds)
      return .ok("redis", "takes writes, scripts and hints")
    } catch {
      if case .refused = error {
        return .fault(
          "redis", "\(error)",
          "Give the user of REDIS_URL its rights: "
            + "ACL SETUSER … ~chattrix:* &chattrix:* +@all -@dangerous +role.")
      }
      return .fault(
        "redis", "\(error)",
        "Start Redis, and check REDIS_URL: its address, its password, and that it is no replica. "
          + "Until then calls go on without tickets and shared limits.")
    }
  }

  private func workers() -> Finding {
    socket(configuration.fastCGISocket, "workers", unit: "chattrix-calls")
  }

  private func webSocketServer() -> Finding {
    let finding = socket(configuration.signaling.address, "signaling", unit: "chattrix-signaling")
    guard finding.state == .ok, case .tcp(let host, let port) = configuration.signaling.address
    else { return finding }
    let name = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
    return SiteChecks.ask("http://\(name):\(port)/readyz", "signaling", unit: "chattrix-signaling")
  }

  private func socket(_ address: SocketAddress, _ check: String, unit: String) -> Finding {
    if case .unix(let path) = address, let fault = modeFault(path, check, unit) { return fault }
    do throws(SystemError) {
      _ = try connect(to: address, timeoutMilliseconds: Self.connectMilliseconds)
      return .ok(check, "\(address) takes connections")
    } catch {
      return .fault(
        check, "\(error)", "systemctl status \(unit) and journalctl -u \(unit) say why.")
    }
  }

  /// nginx comes as a member of the socket's group, and nobody else may (0660).
  private func modeFault(_ path: String, _ check: String, _ unit: String) -> Finding? {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      return .fault(
        check, "there is no \(path)", "systemctl start \(unit); check FASTCGI_SOCKET.")
    }
    let mode = status.st_mode & 0o777
    guard status.st_mode & S_IFMT == S_IFSOCK, mode & 0o660 == 0o660, mode & 0o007 == 0 else {
      return .fault(
        check, "\(path) has the mode \(String(mode, radix: 8)), not 660",
        "chmod 660 \(path), owner and group chattrix, with nginx's account in that group "
          + "(systemd-sysusers).")
    }
    return nil
  }
}
