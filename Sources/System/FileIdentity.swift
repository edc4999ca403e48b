// What tells one content of a file from the next without reading it (stat(2)): a file that was written to, and
// another file under its name, also behind a symbolic link.

import Glibc

package struct FileIdentity: Equatable, Sendable {
  private let device: UInt64
  private let inode: UInt64
  private let sizeBytes: Int64
  private let changedSeconds: Int
  private let changedNanoseconds: Int

  /// - Returns: nil where there is no such file, or it may not be looked at.
  package init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    sizeBytes = Int64(status.st_size)
    // The time of the last change of content or owner, which cannot be set back as st_mtim can.
    (changedSeconds, changedNanoseconds) = (status.st_ctim.tv_sec, status.st_ctim.tv_nsec)
  }
}
