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
    ServiceNotifier(environment: ["NOTIFY_SOCKET": path]).watchdog()
    #expect(socket.next == "WATCHDOG=1")
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
  func watchdog() {
    func interval(_ environment: [String: String]) -> Int? {
      ServiceNotifier(environment: environment).watchdogMilliseconds
    }
    #expect(interval([:]) == nil)
    #expect(interval(["WATCHDOG_USEC": "30000000"]) == 15_000)
    #expect(interval(["WATCHDOG_USEC": "0"]) == nil)
    #expect(interval(["WATCHDOG_USEC": "x"]) == nil)
    #expect(interval(["WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "\(getpid())"]) == 1000)
    #expect(interval(["WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "1"]) == nil)
  }
}
