// What surrounds a process: its environment variables, its own program file, small files it reads.

import CLinux
import Glibc

/// The environment variables; the last of several with one name wins.
package func processEnvironment() -> [String: String] {
  var variables: [String: String] = [:]
  var entry = Glibc.environ
  while let pointer = entry.pointee {
    let text = String(cString: pointer)
    if let equals = text.firstIndex(of: "=") {
      variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
    }
    entry += 1
  }
  return variables
}

/// The path of the running program, symbolic links resolved.
/// - Throws: `SystemError` where /proc is not mounted.
package func programPath() throws(SystemError) -> String {
  var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
  let count = try retryingInterrupts("readlink /proc/self/exe") {
    readlink("/proc/self/exe", &buffer, buffer.count - 1)
  }
  return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Reads a whole file.
/// - Parameter limit: In bytes; a larger file is an error (EFBIG), so that a wrong path in the
///   configuration cannot fill the memory.
package func readFile(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
  let descriptor = Descriptor(
    try retryingInterrupts("open \(path)") { open(path, O_RDONLY | O_CLOEXEC) })
  var content: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 16_384)
  while true {
    let count = try retryingInterrupts("read \(path)") {
      read(descriptor.raw, &chunk, chunk.count)
    }
    if count == 0 { return content }
    content += chunk[..<count]
    if content.count > limit { throw SystemError(errno: EFBIG, call: "read \(path)") }
  }
}

/// Names of the entries of a folder, sorted, without those that begin with a dot.
package func listFolder(_ path: String) throws(SystemError) -> [String] {
  guard let folder = opendir(path) else { throw SystemError(call: "opendir \(path)") }
  defer { closedir(folder) }
  var names: [String] = []
  while let entry = readdir(folder) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    if !name.hasPrefix(".") { names.append(name) }
  }
  return names.sorted()
}

/// Writes all of `text` to a descriptor, standard output unless told otherwise.
package func writeOut(_ text: String, to descriptor: Int32 = STDOUT_FILENO) {
  var bytes = Array(text.utf8)[...]
  while !bytes.isEmpty {
    let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count < 0, errno == EINTR { continue }
    guard count > 0 else { return }
    bytes = bytes.dropFirst(count)
  }
}

/// Ends the process.
package func exitProcess(_ status: Int32) -> Never { exit(status) }
