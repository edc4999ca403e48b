// webhooks list, webhooks retry (contract §8.2).

import Redis
import Storage
import System

enum WebhookCommands {
  static let all = [
    Command(
      name: "webhooks list", synopsis: "webhooks list [--failed] [--limit N]",
      summary: "webhooks and kicks that wait, or (--failed) those that were given up",
      valued: ["limit"], flags: ["failed"], run: list),
    Command(
      name: "webhooks retry", synopsis: "webhooks retry [ID]",
      summary: "send again what was given up, or the one with this webhook-id", run: retry),
  ]

  private static func list(_ arguments: Arguments, _ session: Session) throws {
    _ = try arguments.exactly()
    let limit = try arguments.number("limit", in: 1...100_000, standard: 100)
    let records = try WebhookArchive(session.database).list(
      failed: arguments.has("failed"), limit: limit)
    session.output.table(
      ["id", "type", "state", "attempts", "createdAt", "nextTry", "settledAt", "error"],
      records.map {
        [
          $0.id, $0.type, $0.state, String($0.attempts), $0.createdAt.iso8601, $0.dueAt?.iso8601,
          $0.settledAt?.iso8601, $0.error,
        ]
      })
  }

  private static func retry(_ arguments: Arguments, _ session: Session) throws {
    let word = try arguments.atMostOne("ID")
    var key: DeliveryKey?
    if let word {
      key = DeliveryKey(id: word)
      if key == nil { throw UsageError("ID must be a webhook-id, as `webhooks list` shows it") }
    }
    let count = try WebhookArchive(session.database).retry(key)
    if let word, count == 0 { throw Failure("There is no webhook \(word).") }
    session.hints.publishRecord()
    session.output.done(
      count == 1 ? "1 webhook is sent again." : "\(count) webhooks are sent again.")
  }
}
