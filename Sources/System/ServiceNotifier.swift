// What systemd is told (sd_notify(3)): one datagram a message to the socket named by NOTIFY_SOCKET,
// a path or, with `@`, an abstract name. Nothing waits here: a message that systemd does not take
// at once is lost.

import CLinux
import Glibc

package final class ServiceNotifier {
  /// Half of the time within which systemd wants to hear of us (sd_watchdog_enabled(3)); nil for never.
  private let watchdogMilliseconds: Int64?
  /// Of the monotonic clock, in milliseconds: at once at first.
  private var watchdogDueAt: Int64 = 0

  /// Kept for as long as the notifier is; -1 where there is nobody to tell.
  private let socket: Int32
  private let name: [UInt8]
  private var lastStatus = ""

  package init(environment: [String: String]) {
    name = Self.socketName(environment["NOTIFY_SOCKET"] ?? "")
    let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    socket = name.isEmpty ? -1 : Glibc.socket(AF_UNIX, type, 0)
    watchdogMilliseconds = Self.watchdog(environment)
  }

  deinit { if socket >= 0 { close(socket) } }

  /// `sun_path`: an abstract name begins with NUL. Empty for what is neither.
  private static func socketName(_ text: String) -> [UInt8] {
    var name = Array(text.utf8)
    guard 2...107 ~= name.count else { return [] }
    if name[0] == UInt8(ascii: "@") {
      name[0] = 0
    } else if name[0] != UInt8(ascii: "/") {
      return []
    }
    return name
  }

  private static func watchdog(_ environment: [String: String]) -> Int64? {
    guard let microseconds = environment["WATCHDOG_USEC"].flatMap({ Int64($0) }), microseconds > 0
    else { return nil }
    if let process = environment["WATCHDOG_PID"], pid_t(process) != getpid() { return nil }
    return max(1, microseconds / 2000)
  }

  package func ready() { send("READY=1") }
  package func stopping() { send("STOPPING=1") }

  /// Says that the program's loop goes round, where systemd watches this process and it is time to.
  /// - Parameter now: Of the monotonic clock, in milliseconds.
  package func watchdog(at now: Int64 = MonotonicClock.milliseconds()) {
    guard let watchdogMilliseconds, now >= watchdogDueAt else { return }
    watchdogDueAt = now + watchdogMilliseconds
    send("WATCHDOG=1")
  }

  /// A reload has begun; `ready` says that it is over.
  package func reloading() {
    send("RELOADING=1\nMONOTONIC_USEC=\(MonotonicClock.microseconds())")
  }

  /// A line for `systemctl status`; sent where it is another than the last.
  package func status(_ text: String) {
    guard text != lastStatus else { return }
    lastStatus = text
    send("STATUS=\(text)")
  }

  private func send(_ message: String) {
    guard socket >= 0 else { return }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
    let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
    withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        var text = message
        text.withUTF8 { _ = sendto(socket, $0.baseAddress, $0.count, flags, pointer, length) }
      }
    }
  }
}
