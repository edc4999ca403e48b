// The stack at the point where something went wrong, for the log of a 500 (R12.4). glibc's
// backtrace(3) walks it; names come from the dynamic symbol table, which the programs export.

import CLinux
import Glibc

package struct Backtrace: Sendable {
  private let addresses: [UInt]

  /// The callers of this function, innermost first; at most 48. Costs some microseconds: names are
  /// looked up only when they are printed.
  package static func capture() -> Backtrace {
    var frames = [UnsafeMutableRawPointer?](repeating: nil, count: 48)
    let count = Int(backtrace(&frames, Int32(frames.count)))
    return Backtrace(addresses: frames[..<count].dropFirst().map { UInt(bitPattern: $0) })
  }

  /// One line a frame: `function + offset`, or `object + offset` where there is no name.
  package var lines: [String] {
    addresses.map { address in
      var info = Dl_info()
      let pointer = UnsafeRawPointer(bitPattern: address)
      guard let pointer, dladdr(pointer, &info) != 0 else {
        return "0x" + String(address, radix: 16)
      }
      if let symbol = info.dli_sname, let start = info.dli_saddr {
        return "\(demangled(symbol)) + \(address - UInt(bitPattern: start))"
      }
      let object = info.dli_fname.map { String(cString: $0) } ?? "?"
      return "\(object) + 0x" + String(address - UInt(bitPattern: info.dli_fbase), radix: 16)
    }
  }
}

// The Swift runtime's own demangler, which `swift demangle` and crash reports use.
@_silgen_name("swift_demangle")
private func swiftDemangle(
  _ mangled: UnsafePointer<CChar>, _ length: Int, _ output: UnsafeMutablePointer<CChar>?,
  _ outputSize: UnsafeMutablePointer<Int>?, _ flags: UInt32
) -> UnsafeMutablePointer<CChar>?

private func demangled(_ symbol: UnsafePointer<CChar>) -> String {
  guard let name = swiftDemangle(symbol, strlen(symbol), nil, nil, 0) else {
    return String(cString: symbol)
  }
  defer { free(name) }
  return String(cString: name)
}
