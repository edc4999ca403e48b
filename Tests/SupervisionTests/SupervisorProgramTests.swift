import Glibc
import System
import TestServers
import Testing

private let patient = "exec sleep 1000"

/// After how many milliseconds each worker that died was started again, by the log.
private func restarts(_ supervisor: SupervisorProcess) -> [Int] {
  supervisor.text("log").matches(of: /"worker_died".*"restartMilliseconds":(\d+)/).compactMap {
    Int($0.1)
  }
}

@Suite(.serialized) struct SupervisorProgramTests {
  @Test("Workers inherit the socket as descriptor 0, the environment, and their place in the pool")
  func inheritance() throws {
    let supervisor = try SupervisorProcess(
      worker: "readlink /proc/self/fd/0 > $DIR/input; env > $DIR/variables; exec sleep 1000",
      workers: 1, environment: ["PASSED_ON=yes", "WATCHDOG_USEC=1000000"])
    #expect(wait { supervisor.text("variables").contains("_SLOT=") } != nil)
    #expect(supervisor.text("input").hasPrefix("socket:"))
    let variables = supervisor.text("variables")
    #expect(variables.contains("PASSED_ON=yes\n"))
    #expect(!variables.contains("WATCHDOG_USEC"))
    #expect(variables.contains("CHATTRIX_SUPERVISOR_PID=\(supervisor.process)\n"))
    #expect(variables.contains("CHATTRIX_COUNTERS_FD=3\n"))
    #expect(variables.contains("CHATTRIX_WORKER_SLOT=1\n"))
    var status = stat()
    #expect(lstat(supervisor.socketPath, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o660)
  }

  @Test("A killed worker is replaced at once, and SIGTERM ends all and removes the socket")
  func killAndDrain() throws {
    let supervisor = try SupervisorProcess(worker: patient)
    #expect(wait { supervisor.living.count == 2 } != nil)
    kill(supervisor.started[0], SIGKILL)
    #expect(wait { supervisor.started.count == 3 && supervisor.living.count == 2 } != nil)
    #expect(restarts(supervisor) == [0])
    supervisor.send(SIGTERM)
    #expect(supervisor.waitForEnd(seconds: 60) == 0)
    #expect(supervisor.living.isEmpty)
    #expect(access(supervisor.socketPath, F_OK) != 0)
    #expect(supervisor.text("log").contains("\"worker_died\""))
  }

  @Test("SIGHUP replaces every worker")
  func reload() throws {
    let supervisor = try SupervisorProcess(worker: patient)
    #expect(wait { supervisor.living.count == 2 } != nil)
    let old = Set(supervisor.started)
    supervisor.send(SIGHUP)
    #expect(wait { supervisor.text("log").contains("reload_finished") } != nil)
    #expect(Set(supervisor.living).isDisjoint(with: old))
    #expect(supervisor.living.count == 2)
  }

  @Test("Workers that die at once are started again, not for nothing but not in a frenzy")
  func crashLoop() throws {
    let supervisor = try SupervisorProcess(worker: "exit 1", workers: 1)
    #expect(wait { restarts(supervisor).count >= 5 } != nil)
    #expect(restarts(supervisor).prefix(5) == [0, 100, 200, 400, 800])
    supervisor.send(SIGTERM)
    #expect(supervisor.waitForEnd(seconds: 60) == 0)
  }

  @Test("The log and systemctl status say why workers end as soon as they start")
  func crashesAreExplained() throws {
    let name = "chattrix-crashes-\(getpid())"
    let socket = try NotifySocket([0] + name.utf8)
    let supervisor = try SupervisorProcess(
      worker: "exit 3", workers: 2, environment: ["NOTIFY_SOCKET=@\(name)"])
    var statuses: [String] = []
    let cause = /STATUS=0 of 2 workers running, the last that failed: exit status 3 after \d+ ms/
    #expect(
      wait {
        statuses.append(socket.next)
        return statuses.contains { $0.wholeMatch(of: cause) != nil }
      } != nil, "\(statuses.filter { !$0.isEmpty })")
    let death = /"worker_died".*"exit":"exit status 3".*"restartMilliseconds":\d+/
    #expect(wait { supervisor.text("log").contains(death) } != nil)
    unlink("\(supervisor.folder)/chattrix-worker")
    let away = /running, the last that failed: spawn .*chattrix-worker: .*No such file/
    #expect(
      wait {
        statuses.append(socket.next)
        return statuses.contains { $0.contains(away) }
      } != nil, "\(statuses.filter { !$0.isEmpty })")
    #expect(wait { supervisor.text("log").contains("\"worker_not_started\"") } != nil)
    supervisor.send(SIGTERM)
    #expect(supervisor.waitForEnd(seconds: 60) == 0)
  }

  @Test("A database that is away is the sweeper's trouble only, and logged now and then")
  func sweeperFails() throws {
    let supervisor = try SupervisorProcess(worker: patient)
    let began = MonotonicClock.milliseconds()
    #expect(wait { supervisor.text("log").contains("sweep_failed") } != nil)
    usleep(2_500_000)
    let lines = supervisor.text("log").split(separator: "\n").count { $0.contains("sweep_failed") }
    // Once in ten seconds.
    #expect(1...1 + (MonotonicClock.milliseconds() - began) / 10_000 ~= Int64(lines))
    #expect(wait { supervisor.living.count == 2 } != nil)
  }

  @Test("R14.5 Without its settings it does not start, and says all that is missing")
  func missingSettings() throws {
    let supervisor = try SupervisorProcess(
      worker: patient, environment: ["MYSQL_DATABASE=", "AGORA_APP_ID="])
    #expect(supervisor.waitForEnd(seconds: 60) == 78 << 8)
    #expect(supervisor.text("log").contains("MYSQL_DATABASE"))
    #expect(supervisor.text("log").contains("AGORA_APP_ID"))
  }
}
