// What a web server says of a request: CGI's variables (RFC 3875 section 4.1), as FastCGI carries
// them in FCGI_PARAMS. `NAME=value` entries in, an HTTPRequest out; no I/O.
//
// The head was bounded by the web server already; these bounds are for a server that was told to
// allow more, and for whoever else may write to the socket.

import HTTP

/// What is wrong with a request before its content is looked at, or with how it came.
package enum RequestFault: Error, Equatable {
  /// More than ``RequestParameters/maximumBytes`` or ``RequestParameters/maximumCount``.
  case headTooLarge
  /// No method or target, something that is not UTF-8, control characters in a field, or a
  /// CONTENT_LENGTH that is no number or not the length of what came.
  case malformed
  /// The body did not come within the time that a worker has for it.
  case late

  /// The HTTP status that says so.
  package var status: Int {
    switch self {
    case .headTooLarge: 431
    case .malformed: 400
    case .late: 408
    }
  }
}

package struct RequestParameters {
  /// All entries together, names included.
  package static let maximumBytes = 65_536
  package static let maximumCount = 256

  /// CONTENT_LENGTH; nil where the server gave none.
  package private(set) var contentLength: Int?
  /// REQUEST_ID where it is 8–64 letters, digits, `-` and `_`; nil otherwise.
  package private(set) var requestId: String?
  package private(set) var fault: RequestFault?

  private var method: HTTPMethod?
  private var target: String?
  private var remoteAddress = ""
  private var headers = HTTPHeaders()
  private var byteCount = 0
  private var entryCount = 0

  package init() {}

  /// Takes one `NAME=value`. A fault is kept, and the entries that follow are still looked at, so
  /// that the answer to a bad request can bear its id.
  package mutating func take(_ entry: Span<UInt8>) {
    entryCount += 1
    byteCount += entry.count
    guard entryCount <= Self.maximumCount, byteCount <= Self.maximumBytes else {
      fault = .headTooLarge
      return
    }
    do { try read(entry) } catch { fault = fault ?? error }
  }

  private mutating func read(_ entry: Span<UInt8>) throws(RequestFault) {
    var equals = 0
    while equals < entry.count, entry[equals] != UInt8(ascii: "=") { equals += 1 }
    guard equals < entry.count else { throw .malformed }
    let name = entry.extracting(0..<equals)
    let value = entry.extracting(equals + 1..<entry.count)
    if name.starts(with: "HTTP_") {
      try readField(name.extracting(5..<equals), value)
    } else if name.equals("REQUEST_METHOD") {
      method = HTTPMethod(try token(value))
    } else if name.equals("REQUEST_URI") {
      target = try text(value)
    } else if name.equals("CONTENT_TYPE") {
      if !value.isEmpty { headers["content-type"] = try text(value) }
    } else if name.equals("CONTENT_LENGTH") {
      contentLength = try length(value)
    } else if name.equals("REMOTE_ADDR") {
      remoteAddress = try text(value)
    } else if name.equals("REQUEST_ID") {
      requestId = identifier(value)
    }
  }

  /// `HTTP_X_FORWARDED_FOR` is the field `x-forwarded-for`. The two that CGI has variables of its
  /// own for are left to those (RFC 3875, 4.1.18).
  private mutating func readField(
    _ name: Span<UInt8>, _ value: Span<UInt8>
  ) throws(RequestFault) {
    if name.isEmpty || name.equals("CONTENT_TYPE") || name.equals("CONTENT_LENGTH") { return }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(name.count)
    for index in name.indices {
      let byte = name[index]
      guard HTTPText.isTokenCharacter(byte) else { throw .malformed }
      bytes.append(byte == UInt8(ascii: "_") ? UInt8(ascii: "-") : HTTPText.lowercased(byte))
    }
    headers.append(String(decoding: bytes, as: UTF8.self), try fieldValue(value))
  }

  /// - Parameters:
  ///   - id: ``requestId``, or one made up where the server gave none.
  ///   - body: The content, or nothing where it is longer than the application takes.
  ///   - isWhole: false in that case.
  package func request(id: String, body: [UInt8], isWhole: Bool) throws(RequestFault)
    -> HTTPRequest
  {
    if let fault { throw fault }
    guard let method, let target, target.utf8.first == UInt8(ascii: "/") else { throw .malformed }
    if isWhole, let contentLength, contentLength != body.count { throw .malformed }
    let question = target.utf8.firstIndex(of: UInt8(ascii: "?"))
    var request = HTTPRequest(
      method: method,
      path: String(target[..<(question ?? target.endIndex)]),
      query: question.map { String(target[target.utf8.index(after: $0)...]) } ?? "",
      headers: headers, body: body,
      requestId: id, remoteAddress: remoteAddress)
    request.bodyExceedsLimit = !isWhole
    return request
  }
}

/// UTF-8 without control characters.
private func text(_ bytes: Span<UInt8>) throws(RequestFault) -> String {
  for index in bytes.indices where !HTTPText.isFieldCharacter(bytes[index]) { throw .malformed }
  guard let text = try? UTF8Span(validating: bytes) else { throw .malformed }
  return String(copying: text)
}

/// A field's value; bytes that are not UTF-8 (obs-text, RFC 9110 section 5.5) become U+FFFD, which
/// no value that means anything to us has.
private func fieldValue(_ bytes: Span<UInt8>) throws(RequestFault) -> String {
  for index in bytes.indices where !HTTPText.isFieldCharacter(bytes[index]) { throw .malformed }
  if let text = try? UTF8Span(validating: bytes) { return String(copying: text) }
  return bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
}

private func token(_ bytes: Span<UInt8>) throws(RequestFault) -> String {
  guard !bytes.isEmpty, bytes.count <= 32 else { throw .malformed }
  for index in bytes.indices where !HTTPText.isTokenCharacter(bytes[index]) { throw .malformed }
  return try text(bytes)
}

/// Decimal digits only; empty is what nginx sends for a request without content.
private func length(_ bytes: Span<UInt8>) throws(RequestFault) -> Int? {
  if bytes.isEmpty { return nil }
  guard bytes.count <= 15 else { throw .malformed }
  var value = 0
  for index in bytes.indices {
    let digit = bytes[index] &- UInt8(ascii: "0")
    guard digit <= 9 else { throw .malformed }
    value = value * 10 + Int(digit)
  }
  return value
}

private func identifier(_ bytes: Span<UInt8>) -> String? {
  guard 8...64 ~= bytes.count else { return nil }
  for index in bytes.indices {
    switch bytes[index] {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      continue
    default: return nil
    }
  }
  return try? text(bytes)
}

extension Span where Element == UInt8 {
  fileprivate func starts(with prefix: StaticString) -> Bool {
    guard count >= prefix.utf8CodeUnitCount else { return false }
    for index in 0..<prefix.utf8CodeUnitCount where self[index] != prefix.utf8Start[index] {
      return false
    }
    return true
  }

  fileprivate func equals(_ text: StaticString) -> Bool {
    count == text.utf8CodeUnitCount && starts(with: text)
  }
}
