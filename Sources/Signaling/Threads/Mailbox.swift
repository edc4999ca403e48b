// What other threads have for the event loop: they post, an eventfd wakes it, and it takes all of
// it at once.

import Synchronization
import System

final class Mailbox: Sendable {
  private let messages = Mutex<[Message]>([])
  private let event: EventDescriptor

  init() throws(SystemError) { event = try EventDescriptor() }

  /// Readable while there is something to take.
  var raw: Int32 { event.descriptor.raw }

  func post(_ message: Message) {
    let wasEmpty = messages.withLock { messages in
      messages.append(message)
      return messages.count == 1
    }
    if wasEmpty { event.signal() }
  }

  func take() -> [Message] {
    event.drain()
    return messages.withLock { messages in
      defer { messages = [] }
      return messages
    }
  }
}
