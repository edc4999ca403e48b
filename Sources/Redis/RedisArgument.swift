// One argument of a command: any bytes, most often text or a decimal number.

package struct RedisArgument: Sendable, Equatable, ExpressibleByStringLiteral,
  ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral
{
  package let bytes: [UInt8]

  package init(_ bytes: [UInt8]) { self.bytes = bytes }
  package init(_ text: String) { bytes = Array(text.utf8) }
  package init(_ number: some BinaryInteger) { self.init(String(number)) }
  package init(stringLiteral text: String) { self.init(text) }
  package init(integerLiteral number: Int) { self.init(number) }
}
