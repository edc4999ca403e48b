// Do not disturb (contract §11.2).

import Calls
import JSON
import Storage
import System

struct AvailabilityHandlers {
  let store: AvailabilityStore
  let now: () -> Timestamp

  /// How far ahead `until` may be: a year, as statistics count one.
  private static let maximumSeconds: Int64 = 365 * 86_400

  func get(_ context: Context) throws -> Reply {
    try context.fields().check()
    return Self.reply(try store.availability(of: context.userId))
  }

  func put(_ context: Context) throws -> Reply {
    var fields = context.fields()
    let doNotDisturb = fields.boolean("doNotDisturb", required: true)
    let until = fields.timestamp("until")
    if let until {
      let now = now()
      if doNotDisturb == false {
        fields.fault("until", .invalidTimestamp, "until goes with doNotDisturb: true only.")
      } else if until <= now || until > now.adding(seconds: Self.maximumSeconds) {
        fields.fault(
          "until", .invalidTimestamp, "until must be in the future, at most 365 days ahead.")
      }
    }
    try fields.check()
    let availability = UserAvailability(doNotDisturb: doNotDisturb ?? false, until: until)
    try store.set(availability, of: context.userId)
    return Self.reply(availability)
  }

  private static func reply(_ availability: UserAvailability) -> Reply {
    .object { json in
      json.member("doNotDisturb", availability.doNotDisturb)
      json.member("until", availability.until?.iso8601)
    }
  }
}
