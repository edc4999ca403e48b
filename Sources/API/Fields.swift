// Reads members of a body and parameters of a query, noting what is wrong with each; `check` then
// refuses the request with all faults at once (R12.3). JSON's null counts as absent.

import Calls
import HTTP
import JSON
import System

struct Fields {
  private let context: Context
  private var faults: [FieldFault] = []

  init(context: Context) { self.context = context }

  mutating func fault(_ field: String, _ code: FieldFault.Code, _ message: String) {
    faults.append(FieldFault(field, code, message))
  }

  /// - Throws: `CallError.unauthorizedAccess` where a `userId` is given that is not the user's own
  ///   (contract §2); `CallError.validation` with all faults noted.
  func check() throws(CallError) {
    var faults = faults
    let given =
      [context.body["userId"] ?? .null] + context.query.values("userId").map(JSONValue.string)
    for given in given where given != .null {
      guard let userId = Fields.identifier(given) else {
        faults.append(FieldFault("userId", .invalidUserId, "userId must be a user id."))
        continue
      }
      if !UserID.areSame(userId, context.userId) {
        throw .unauthorizedAccess("userId is not the authenticated user.")
      }
    }
    if !faults.isEmpty { throw .validation(faults) }
  }

  /// A user id as a client may write it: text, or a number that is read as its decimal digits.
  private static func identifier(_ value: JSONValue) -> String? {
    value.textOrDigits.flatMap { UserID.isValid($0) ? $0 : nil }
  }

  private func member(_ name: String) -> JSONValue? {
    guard let value = context.body[name], value != .null else { return nil }
    return value
  }

  mutating func requiredUserId(_ name: String) -> String {
    guard let value = member(name) else {
      fault(name, .required, "\(name) is required.")
      return ""
    }
    guard let userId = Fields.identifier(value) else {
      fault(name, .invalidUserId, "\(name) must be a user id of 1 to 64 characters.")
      return ""
    }
    return userId
  }

  /// - Parameter isId: Whether an integer is read as its decimal digits, as ids are (contract §1).
  mutating func requiredText(
    _ name: String, _ code: FieldFault.Code, _ rule: String, isId: Bool = false,
    where isValid: (String) -> Bool
  ) -> String {
    guard let value = member(name) else {
      fault(name, .required, "\(name) is required.")
      return ""
    }
    guard let text = isId ? value.textOrDigits : value.stringValue, isValid(text) else {
      fault(name, code, "\(name) must be \(rule).")
      return ""
    }
    return text
  }

  mutating func optionalText(
    _ name: String, _ code: FieldFault.Code, _ rule: String, isId: Bool = false,
    where isValid: (String) -> Bool
  ) -> String? {
    guard member(name) != nil else { return nil }
    return requiredText(name, code, rule, isId: isId, where: isValid)
  }

  /// One of the words of an enumeration, or nil where it is absent or wrong.
  mutating func word<Word: CaseIterable & RawRepresentable>(
    _ name: String, _ code: FieldFault.Code, required: Bool = false, among type: Word.Type
  ) -> Word? where Word.RawValue == String {
    guard let value = member(name) else {
      if required { fault(name, .required, "\(name) is required.") }
      return nil
    }
    if let text = value.stringValue, let word = Word(wire: text) { return word }
    fault(name, code, "\(name) must be one of \(Fields.list(type)).")
    return nil
  }

  /// true or false, or nil where it is absent or wrong.
  mutating func boolean(_ name: String, required: Bool = false) -> Bool? {
    guard let value = member(name) else {
      if required { fault(name, .required, "\(name) is required.") }
      return nil
    }
    if let boolean = value.boolValue { return boolean }
    fault(name, .invalidType, "\(name) must be true or false.")
    return nil
  }

  mutating func number(
    _ name: String, _ code: FieldFault.Code, _ rule: String, where isValid: (Double) -> Bool
  ) -> Double? {
    guard let value = member(name) else { return nil }
    guard let number = value.doubleValue, isValid(number) else {
      fault(name, code, "\(name) must be \(rule).")
      return nil
    }
    return number
  }

  mutating func wholeNumber(
    _ name: String, _ code: FieldFault.Code, in range: ClosedRange<Int64>
  ) -> Int? {
    guard let value = member(name) else { return nil }
    guard let number = value.intValue, range.contains(number) else {
      fault(
        name, code,
        "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound).")
      return nil
    }
    return Int(number)
  }

  /// ISO 8601, or a number of milliseconds since 1970; neither before then nor after 9999, the end of
  /// DATETIME.
  mutating func timestamp(_ name: String) -> Timestamp? {
    guard let value = member(name) else { return nil }
    let milliseconds =
      if let text = value.stringValue {
        Timestamp(iso8601: text).map { Double($0.milliseconds) }
      } else {
        value.doubleValue
      }
    guard let milliseconds, (0...253_402_300_799_999).contains(milliseconds) else {
      fault(name, .invalidTimestamp, "\(name) must be an ISO 8601 time.")
      return nil
    }
    return Timestamp(milliseconds: Int64(milliseconds))
  }

  /// The device that a command names, or else its connection's.
  mutating func origin() -> Origin {
    let device = optionalText(
      "deviceId", .invalidDeviceId, "1 to 128 characters", isId: true, where: DeviceID.isValid)
    return Origin(
      device: device ?? context.connectionDevice, connection: context.connectionId)
  }

  // MARK: Query

  /// A whole number in the query; `standard` where it is absent.
  mutating func queryNumber(
    _ name: String, _ code: FieldFault.Code, in range: ClosedRange<Int>, standard: Int,
    clampingAbove limit: Int? = nil
  ) -> Int {
    guard let text = context.query[name] else { return standard }
    let isDecimal = !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) }
    if let number = Int(text), isDecimal, number >= range.lowerBound {
      if number <= range.upperBound { return number }
      if let limit { return limit }
    }
    if isDecimal, Int(text) == nil, let limit { return limit }
    fault(
      name, code,
      limit == nil
        ? "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)."
        : "\(name) must be a whole number of \(range.lowerBound) or more.")
    return standard
  }

  /// A word of an enumeration in the query; nil where it is absent or `all`.
  mutating func queryWord<Word: CaseIterable & RawRepresentable>(
    _ name: String, _ code: FieldFault.Code, among type: Word.Type, allowsAll: Bool
  ) -> Word? where Word.RawValue == String {
    guard let text = context.query[name] else { return nil }
    if allowsAll, text.lowercased() == "all" { return nil }
    if let word = Word(wire: text) { return word }
    let list = Fields.list(type) + (allowsAll ? ", all" : "")
    fault(name, code, "\(name) must be one of \(list).")
    return nil
  }

  private static func list<Word: CaseIterable & RawRepresentable>(_ type: Word.Type) -> String
  where Word.RawValue == String {
    type.allCases.map(\.rawValue).joined(separator: ", ")
  }
}
