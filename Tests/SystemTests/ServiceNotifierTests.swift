import Glibc
import System
import TestServers
import Testing

@Suite struct ServiceNotifierTests {
  @Test("Messages reach an abstract socket, and a status only when it changes")
  func abstract() throws {
    let name = "chattrix-notify-\(getpid())"
    let socket = try NotifySocket([0] + name.utf8)
    let notifier = ServiceNotifier(environment: ["NOTIFY_SOCKET": "@\(name)"])
    notifier.ready()
    notifier.status("a")
    notifier.status("a")
    notifier.status("b")
    notifier.reloading()
    notifier.stopping()
    #expect(socket.next == "READY=1")
    #expect(socket.next == "STATUS=a")
    #expect(socket.next == "STATUS=b")
    #expect(socket.next.hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
    #expect(socket.next == "STOPPING=1")
    #expect(socket.next == "")
  }

  @Test("Messages reach a path")
  func path() throws {
    let path = "/tmp/chattrix-notify-\(getpid())"
    let socket = try NotifySocket(Array(path.utf8))
    defer { unlink(path) }
    ServiceNotifier(environment: ["NOTIFY_SOCKET": path]).ready()
    #expect(socket.next == "READY=1")
  }

  @Test("Nothing to tell, or nobody to tell it, is no trouble")
  func nobody() {
    let long = "/" + String(repeating: "x", count: 200)
    for name in ["", "relative", "@", "/nonexistent/socket", long] {
      ServiceNotifier(environment: ["NOTIFY_SOCKET": name]).ready()
    }
    ServiceNotifier(environment: [:]).ready()
  }

  @Test("The watchdog is answered at half its time, and only where it is meant for this process")
  func watchdog() throws {
    #expect(try answers([:]) == [])
    #expect(try answers(["WATCHDOG_USEC": "30000000"]) == [0, 15_000, 32_000, 47_000])
    #expect(try answers(["WATCHDOG_USEC": "0"]) == [])
    #expect(try answers(["WATCHDOG_USEC": "x"]) == [])
    let own = ["WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "\(getpid())"]
    #expect(try answers(own) == [0, 14_999, 29_999, 46_999])
    #expect(try answers(own.merging(["WATCHDOG_PID": "1"]) { $1 }) == [])
  }

  /// When the watchdog is answered by a loop that goes round at these times, in milliseconds.
  private func answers(_ environment: [String: String]) throws -> [Int64] {
    let name = "chattrix-watchdog-\(Randomness.system.hexadecimal(bytes: 8))"
    let socket = try NotifySocket([0] + name.utf8)
    let notifier = ServiceNotifier(
      environment: environment.merging(["NOTIFY_SOCKET": "@\(name)"]) { $1 })
    return [0, 14_999, 15_000, 29_999, 32_000, 46_999, 47_000].filter { now in
      notifier.watchdog(at: now)
      return socket.next == "WATCHDOG=1"
    }
  }
}
