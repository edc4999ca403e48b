// How long the server's process and this one have run, user and system time together (proc(5)).

import Glibc
import System

struct ProcessorTime {
  /// In seconds; 0 where no server was named.
  let server: Double
  let own: Double

  static func now(_ server: Int32?) throws -> ProcessorTime {
    ProcessorTime(
      server: try server.map { try seconds("/proc/\($0)/stat") } ?? 0,
      own: try seconds("/proc/self/stat"))
  }

  func since(_ earlier: ProcessorTime) -> ProcessorTime {
    ProcessorTime(server: server - earlier.server, own: own - earlier.own)
  }

  private static func seconds(_ path: String) throws -> Double {
    let text = String(decoding: try readFile(path, limit: 4096), as: UTF8.self)
    // The name, in brackets, may have spaces in it; utime and stime are fields 14 and 15.
    let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
    guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
      throw Failure("\(path) cannot be read")
    }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}
