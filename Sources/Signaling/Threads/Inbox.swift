// What threads have for one other: they post, an eventfd wakes it, and it takes what there is, in order.

import Synchronization
import System

final class Inbox<Element: Sendable>: Sendable {
  private let elements = Mutex<[Element]>([])
  private let event: EventDescriptor

  /// - Parameter waits: Whether ``take(limit:)`` waits for something to take.
  init(waits: Bool = false) throws(SystemError) { event = try EventDescriptor(blocking: waits) }

  /// Readable while there is something to take.
  var raw: Int32 { event.descriptor.raw }

  func post(_ element: Element) {
    let wasEmpty = elements.withLock { elements in
      elements.append(element)
      return elements.count == 1
    }
    if wasEmpty { event.signal() }
  }

  func post(contentsOf new: [Element]) {
    if new.isEmpty { return }
    let wasEmpty = elements.withLock { elements in
      defer { elements += new }
      return elements.isEmpty
    }
    if wasEmpty { event.signal() }
  }

  /// Takes the oldest, in their order.
  /// - Parameter limit: How many at the most, 1 or more.
  /// - Returns: Nothing where there is nothing, and, once in a while, where something was taken a moment ago.
  func take(limit: Int = .max) -> [Element] {
    event.drain()
    let (taken, areMore) = elements.withLock { elements in
      if elements.count <= limit {
        defer { elements = [] }
        return (elements, false)
      }
      defer { elements.removeFirst(limit) }
      return (Array(elements.prefix(limit)), true)
    }
    if areMore { event.signal() }
    return taken
  }
}
