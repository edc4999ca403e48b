// The table of routes and the handlers behind it.

import AgoraToken
import Redis
import Storage
import System

extension Application {
  static func routes(_ settings: APISettings, _ database: Database, _ redis: RedisConnection?)
    -> [Route]
  {
    let hints = Hints(redis: redis, recording: database.recording)
    let store = CallStore(database, settings: settings.calls, hints: hints)
    let calls = CallHandlers(store: store)
    let tokens = TokenHandlers(
      audit: TokenAudit(database), settings: settings.tokens, randomness: .system,
      now: { Timestamp.now() })
    let history = HistoryHandlers(
      history: HistoryStore(database, hints: hints), statistics: StatisticsStore(database))
    let quality = QualityHandlers(
      quality: QualityStore(database, hints: hints), redis: redis)
    let availability = AvailabilityHandlers(
      store: AvailabilityStore(database), now: { Timestamp.now() })
    let tickets = TicketHandler(redis: redis, randomness: .system)
    return [
      Route(
        .post, "agora/token/generate", limit: .tokenGenerate, failure: .tokenGenerationFailed,
        tokens.generate),
      Route(
        .post, "agora/token/refresh", limit: .tokenRefresh, failure: .tokenRefreshFailed,
        tokens.refresh),
      Route(.post, "calls/initiate", limit: .callInitiate, calls.initiate),
      Route(.get, "calls/active", calls.active),
      Route(.get, "calls/history", limit: .callHistory, history.list),
      Route(.delete, "calls/history/{callId}", history.delete),
      Route(.get, "calls/history/unseen", history.unseen),
      Route(.post, "calls/history/seen", history.see),
      Route(.get, "calls/statistics", history.statistics),
      Route(.get, "calls/{callId}", calls.get),
      Route(.post, "calls/{callId}/accept", calls.accept),
      Route(.post, "calls/{callId}/reject", limit: nil, calls.reject),
      Route(.post, "calls/{callId}/end", limit: nil, calls.end),
      Route(.patch, "calls/{callId}/status", calls.updateStatus),
      Route(.post, "calls/{callId}/quality", limit: .quality, quality.report),
      Route(.get, "me/availability", availability.get),
      Route(.put, "me/availability", availability.put),
      Route(.post, "signaling/ticket", limit: .ticket, tickets.issue),
    ]
  }
}
