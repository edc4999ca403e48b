// One deadline a connection at the most, the earliest first: a binary heap, in which a connection is found by its
// descriptor. To look for what is due reads one entry; a change moves a deadline along one path of the heap.

struct DeadlineHeap<Time: Comparable> {
  private struct Entry {
    var time: Time
    let descriptor: Int32
  }

  private var entries: [Entry] = []
  /// Of each descriptor in `entries`; -1 where it has no deadline.
  private var positions: [Int32] = []

  var count: Int { entries.count }

  /// The earliest deadline.
  var first: (descriptor: Int32, time: Time)? {
    entries.first.map { ($0.descriptor, $0.time) }
  }

  /// The deadline of a descriptor, which is not negative; nil is none.
  subscript(descriptor: Int32) -> Time? {
    get { position(of: descriptor).map { entries[$0].time } }
    set {
      switch (position(of: descriptor), newValue) {
      case (nil, nil): break
      case (nil, let time?): append(Entry(time: time, descriptor: descriptor))
      case (let position?, let time?):
        entries[position].time = time
        settle(position)
      case (let position?, nil): remove(at: position)
      }
    }
  }

  private func position(of descriptor: Int32) -> Int? {
    guard descriptor < positions.count, positions[Int(descriptor)] >= 0 else { return nil }
    return Int(positions[Int(descriptor)])
  }

  private mutating func append(_ entry: Entry) {
    while positions.count <= entry.descriptor { positions.append(-1) }
    entries.append(entry)
    positions[Int(entry.descriptor)] = Int32(entries.count - 1)
    settle(entries.count - 1)
  }

  private mutating func remove(at position: Int) {
    positions[Int(entries[position].descriptor)] = -1
    let last = entries.removeLast()
    guard position < entries.count else { return }
    place(last, at: position)
    settle(position)
  }

  private mutating func place(_ entry: Entry, at position: Int) {
    entries[position] = entry
    positions[Int(entry.descriptor)] = Int32(position)
  }

  /// Moves an entry to where it belongs, up or down.
  private mutating func settle(_ start: Int) {
    let entry = entries[start]
    var position = start
    while position > 0, entry.time < entries[(position - 1) / 2].time {
      place(entries[(position - 1) / 2], at: position)
      position = (position - 1) / 2
    }
    if position == start {
      while let child = earlierChild(of: position), entries[child].time < entry.time {
        place(entries[child], at: position)
        position = child
      }
    }
    if position != start { place(entry, at: position) }
  }

  private func earlierChild(of position: Int) -> Int? {
    let left = 2 * position + 1
    guard left < entries.count else { return nil }
    let right = left + 1
    return right < entries.count && entries[right].time < entries[left].time ? right : left
  }
}
