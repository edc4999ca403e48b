// The buffers of one result's columns, and the binding that tells the client library of them.

import CMySQL

final class MySQLResult {
  let columns: [MySQLColumn]
  private let bindings: UnsafeMutableBufferPointer<MYSQL_BIND>

  init(_ metadata: UnsafeMutablePointer<MYSQL_RES>) {
    columns = (0..<mysql_num_fields(metadata)).map {
      MySQLColumn(mysql_fetch_field_direct(metadata, $0).pointee)
    }
    bindings = .allocate(capacity: columns.count)
    for (index, column) in columns.enumerated() { column.bind(&bindings[index]) }
  }

  deinit { bindings.deallocate() }

  var binds: UnsafeMutablePointer<MYSQL_BIND>? { bindings.baseAddress }

  /// Fetches the columns again that did not fit, into buffers that are large enough from then on.
  ///
  /// The result has to be bound anew before the next row is fetched, and not before this one has been
  /// read: MariaDB's library forgets with that call where in the row its columns are, and 3.3.19 how
  /// long all of them are.
  /// - Returns: false where the library reports an error.
  func refetchTruncated(_ statement: UnsafeMutablePointer<MYSQL_STMT>) -> Bool {
    for (index, column) in columns.enumerated() where column.isTruncated {
      column.grow()
      column.bind(&bindings[index])
      var bind = bindings[index]
      guard mysql_stmt_fetch_column(statement, &bind, UInt32(index), 0) == 0 else { return false }
    }
    return true
  }
}
