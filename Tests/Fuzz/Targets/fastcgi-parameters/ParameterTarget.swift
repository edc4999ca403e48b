// FastCGI's parameters, as an environment has them: `NAME=value`, each ended by a NUL. What comes out
// as a request can be written back into a head.

import FastCGI
import Fuzzing
import HTTP

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  var parameters = RequestParameters()
  for entry in fuzzInput(start, count).split(separator: 0) {
    parameters.take(Array(entry).span)
  }
  if let id = parameters.requestId {
    require((8...64).contains(id.utf8.count), "a request id of its length")
  }
  let length = parameters.contentLength ?? 0
  require(length >= 0, "a length is not negative")
  guard let request = try? parameters.request(id: "id", body: [], isWhole: length == 0) else {
    return 0
  }
  require(request.path.utf8.first == UInt8(ascii: "/"), "the path is absolute")
  require(!request.path.utf8.contains(UInt8(ascii: "?")), "the path has no query")
  require(HTTPText.isToken(request.method.name.utf8), "the method is a token")
  for text in [request.path, request.query, request.remoteAddress] {
    require(text.utf8.allSatisfy(HTTPText.isFieldCharacter), "no control character gets in")
  }
  for field in request.headers.fields {
    require(HTTPText.isToken(field.name.utf8), "a field's name is a token")
    require(field.value.utf8.allSatisfy(HTTPText.isFieldCharacter), "no value ends its line")
  }
  return 0
}
