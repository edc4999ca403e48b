// A new token for the login of an open connection (contract §10), to be answered with a `command_result`.

import Calls
import JSON

struct Renewal {
  /// The client's own; null where it gave none.
  let requestId: JSONValue
  let data: JSONValue

  /// The token that is shown.
  /// - Parameter userId: whose connection it is; a `userId` that is given has to be the same (contract §2).
  /// - Throws: `CallError.validation` where there is no token, `CallError.unauthorizedAccess`.
  func token(from userId: String) throws(CallError) -> String {
    guard case .object(let members) = data else {
      throw .validation("data", .invalidType, "data must be an object.")
    }
    var faults: [FieldFault] = []
    if let given = members["userId"], given != .null {
      if let id = given.textOrDigits, UserID.isValid(id) {
        guard UserID.areSame(id, userId) else {
          throw .unauthorizedAccess("userId is not the authenticated user.")
        }
      } else {
        faults.append(FieldFault("userId", .invalidUserId, "userId must be a user id."))
      }
    }
    let given = members["token"] ?? .null
    if given == .null {
      faults.append(FieldFault("token", .required, "token is required."))
    } else if given.stringValue?.isEmpty != false {
      faults.append(FieldFault("token", .invalidType, "token must be a JWT."))
    }
    guard faults.isEmpty, let token = given.stringValue else { throw .validation(faults) }
    return token
  }
}
