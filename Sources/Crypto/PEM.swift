// The textual encoding of keys (RFC 7468), read without OpenSSL: its reader would prompt for the
// passphrase of an encrypted block.

enum PEM {
  struct Block {
    /// What stands after `BEGIN`, such as `PUBLIC KEY`.
    let label: String
    let content: [UInt8]
  }

  private static let boundary = "-----"

  /// The blocks of a file, in order; text around them is ignored (RFC 7468 §2).
  ///
  /// - Throws: `.malformedPEM` where a block does not end, or holds anything but base64.
  static func blocks(in text: String) throws(KeyError) -> [Block] {
    var blocks: [Block] = []
    var label: String?
    var encoded = ""
    for line in text.split(whereSeparator: \.isNewline).map(trimmed) {
      if let opened = label {
        if line == "\(boundary)END \(opened)\(boundary)" {
          guard let content = Base64.decode(encoded) else { throw .malformedPEM }
          blocks.append(Block(label: opened, content: content))
          label = nil
        } else {
          encoded += line
        }
      } else if line.hasPrefix("\(boundary)BEGIN "), line.hasSuffix(boundary) {
        label = String(line.dropFirst(boundary.count + 6).dropLast(boundary.count))
        encoded = ""
      }
    }
    guard label == nil else { throw .malformedPEM }
    return blocks
  }

  private static func trimmed(_ line: Substring) -> Substring {
    var line = line
    while line.last?.isWhitespace == true { line.removeLast() }
    while line.first?.isWhitespace == true { line.removeFirst() }
    return line
  }
}
