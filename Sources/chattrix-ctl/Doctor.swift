// `chattrix-ctl doctor`: a host from end to end, what is wrong with it, and what to do.

import Configuration
import HTTP
import Storage
import System

/// What one check has found.
struct Finding {
  enum State: String { case ok, warning, fault }

  let check: String
  let state: State
  let text: String
  /// What to do, where something is not as it should be.
  let advice: String?

  static func ok(_ check: String, _ text: String) -> Finding {
    Finding(check: check, state: .ok, text: text, advice: nil)
  }

  static func warning(_ check: String, _ text: String, _ advice: String) -> Finding {
    Finding(check: check, state: .warning, text: text, advice: advice)
  }

  static func fault(_ check: String, _ text: String, _ advice: String) -> Finding {
    Finding(check: check, state: .fault, text: text, advice: advice)
  }
}

enum Doctor {
  static let command = Command(
    name: "doctor", synopsis: "doctor [--url URL] [--days N] [--sql FOLDER] [--host-conf FILE]",
    summary: "check this host from end to end, and say what to do",
    details: """
      Settings (exit status 78 where they are at fault), database, rights, schema, stored procedures,
      clocks, Redis, sockets, nginx at URL (https://localhost) and the days that its certificate is
      valid yet (at least N, 14), and whether it is for each server_name of nginx's host.conf
      (/etc/nginx/chattrix/host.conf) and trusted. Changes nothing. Exit status 1 where there is a fault.
      """,
    valued: ["url", "days", "sql", "host-conf"], run: run)

  private static func run(_ arguments: Arguments, _ session: Session) throws {
    _ = try arguments.exactly()
    let days = try arguments.number("days", in: 0...3650, standard: 14)
    let url = try site(arguments["url"] ?? "https://localhost")
    let folder = try arguments["sql"] ?? Migrations.installedFolder()
    let names = try names(arguments["host-conf"])
    let configuration = session.configuration
    let findings =
      settings(configuration)
      + DatabaseChecks(DatabaseInspection(session.database), folder: folder).run()
      + HostChecks(configuration).run() + SiteChecks(url, leastDays: days, names: names).run()
    if session.output.isJSON {
      session.output.table(
        ["check", "state", "text", "advice"],
        findings.map { [$0.check, $0.state.rawValue, $0.text, $0.advice] })
    } else {
      for finding in findings { writeOut(lines(of: finding)) }
    }
    let faults = findings.count { $0.state == .fault }
    if faults > 0 { throw Failure("\(faults) \(faults == 1 ? "fault" : "faults").") }
  }

  private static func lines(of finding: Finding) -> String {
    func padded(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(1, width - text.count))
    }
    let state = finding.state == .fault ? "FAULT" : finding.state.rawValue
    let line = padded(state, 9) + padded(finding.check, 13) + finding.text + "\n"
    let indent = String(repeating: " ", count: 22)
    return line + (finding.advice.map { "\(indent)-> \($0)\n" } ?? "")
  }

  private static func site(_ text: String) throws -> HTTPURL {
    do throws(HTTPURLError) {
      let url = try HTTPURL(text)
      if url.target == "/" { return url }
    } catch {}
    throw UsageError("--url must be like https://localhost or https://127.0.0.1:8443")
  }

  /// - Throws: `SystemError` where a file was named that cannot be read.
  private static func names(_ path: String?) throws -> [String] {
    let limit = 65_536
    let bytes =
      try path.map { try readFile($0, limit: limit) }
      ?? (try? readFile(NginxNames.installedPath, limit: limit)) ?? []
    return NginxNames.names(in: String(decoding: bytes, as: UTF8.self))
  }

  /// Whatever is at fault has ended the program with status 78 before.
  private static func settings(_ configuration: Configuration) -> [Finding] {
    let passedOver = configuration.jwt.passedOver
    guard passedOver.isEmpty else {
      return [
        .warning(
          "settings", "keys that cannot be used: " + passedOver.joined(separator: "; "),
          "Correct the key set, or take those entries out.")
      ]
    }
    return [.ok("settings", "valid")] + origins(configuration)
  }

  private static func origins(_ configuration: Configuration) -> [Finding] {
    guard let bytes = try? readFile(NginxOrigins.installedPath, limit: 65_536) else { return [] }
    guard NginxOrigins(String(decoding: bytes, as: UTF8.self)).fits(configuration.allowedOrigins)
    else {
      return [
        .fault(
          "origins", "\(NginxOrigins.installedPath) lists other origins than ALLOWED_ORIGINS",
          "chattrix-ctl origins > \(NginxOrigins.installedPath) && systemctl reload nginx")
      ]
    }
    return [.ok("origins", "nginx's are those of ALLOWED_ORIGINS")]
  }
}
