// What a statement's text depends on besides the type of `users.id`.

import Calls

enum StatementShape: Hashable {
  case history(isAfter: Bool, isFar: Bool, CallType?, HistoryStatus?)
  case callDetails
  case activeCall
  case idempotentCall
}
