// The dialect of /ws/chat (contract §6.5, §7.8): the existing Chattrix app reads the members
// callType, networkQuality and status in upper case, `veryBad` as `VERY_BAD`.

import JSON

enum ChatDialect {
  private static let members: Set<String> = ["callType", "networkQuality", "status"]

  /// - Parameter json: one JSON value; comes back as it was where it is none.
  static func translate(_ json: [UInt8]) -> [UInt8] {
    guard let value = try? JSONParser.parse(json) else { return json }
    return translate(value).serialized()
  }

  private static func translate(_ value: JSONValue) -> JSONValue {
    switch value {
    case .array(let elements): return .array(elements.map(translate))
    case .object(let object):
      var translated: [String: JSONValue] = [:]
      for (name, value) in object {
        if let word = value.stringValue, members.contains(name) {
          translated[name] = .string(upper(word))
        } else {
          translated[name] = translate(value)
        }
      }
      return .object(translated)
    default: return value
    }
  }

  private static func upper(_ word: String) -> String {
    var result = ""
    for character in word {
      if character.isUppercase { result.append("_") }
      result += character.uppercased()
    }
    return result
  }
}
