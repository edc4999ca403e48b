// A command in RESP2: an array of bulk strings.

package enum RESPEncoder {
  package static func encode(_ arguments: [RedisArgument], to bytes: inout [UInt8]) {
    header("*", arguments.count, to: &bytes)
    for argument in arguments {
      header("$", argument.bytes.count, to: &bytes)
      bytes += argument.bytes
      bytes += [0x0D, 0x0A]
    }
  }

  private static func header(_ kind: Unicode.Scalar, _ count: Int, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: kind))
    bytes += String(count).utf8
    bytes += [0x0D, 0x0A]
  }
}
