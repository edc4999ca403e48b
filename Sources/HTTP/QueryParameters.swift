// A query of `name=value` pairs, `+` and `%XX` decoded. The first value of a name counts.

package struct QueryParameters: Sendable, Equatable {
  /// No query of the product's needs a tenth of this; more is an attempt at something else.
  package static let maximumCount = 64

  package enum Failure: Error, Equatable {
    /// A bad escape, or something that is not UTF-8.
    case malformed
    /// More than ``maximumCount`` pairs.
    case tooMany
  }

  private let pairs: [(name: String, value: String)]

  /// - Parameter raw: without the `?`.
  /// - Throws: ``Failure``.
  package init(_ raw: String) throws(Failure) {
    var pairs: [(name: String, value: String)] = []
    for part in raw.utf8.split(separator: UInt8(ascii: "&")) {
      guard pairs.count < Self.maximumCount else { throw .tooMany }
      let name = part.prefix { $0 != UInt8(ascii: "=") }
      let value = part.dropFirst(name.count + 1)
      do {
        pairs.append(
          (
            try PercentEncoding.decode(Substring(name), plusIsSpace: true),
            try PercentEncoding.decode(Substring(value), plusIsSpace: true)
          ))
      } catch { throw .malformed }
    }
    self.pairs = pairs
  }

  package subscript(_ name: String) -> String? {
    pairs.first { $0.name == name }?.value
  }

  /// All values of a name, in their order.
  package func values(_ name: String) -> [String] {
    pairs.filter { $0.name == name }.map(\.value)
  }

  package var names: [String] { pairs.map(\.name) }

  package static func == (first: QueryParameters, second: QueryParameters) -> Bool {
    first.pairs.elementsEqual(second.pairs, by: ==)
  }
}
