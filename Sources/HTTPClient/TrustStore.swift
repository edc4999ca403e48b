// The certificates that servers are verified with, and TLS as it is spoken with them (OpenSSL's SSL_CTX).

import CLibSSL

/// Made once; serves all clients of a process at the same time.
package final class TrustStore: Sendable {
  /// Unsafe only to the compiler: OpenSSL lets threads share an `SSL_CTX` that is not changed (openssl-threads(7)),
  /// SSL_new(3) counts its references atomically, and after `init` nothing here changes it.
  nonisolated(unsafe) let context: OpaquePointer

  /// Trusts the system's authorities (OpenSSL's default paths, or SSL_CERT_FILE and SSL_CERT_DIR) and those
  /// of a file.
  /// - Parameters:
  ///   - caFile: PEM.
  ///   - verifies: false where any certificate will do: for a look at this host's own server, and nothing else.
  /// - Throws: `.trustStore` where the file cannot be read or has no certificate.
  package init(caFile: String? = nil, verifies: Bool = true) throws(HTTPClientError) {
    ERR_clear_error()
    guard let context = SSL_CTX_new(TLS_client_method()) else {
      throw .trustStore(tlsErrorReason())
    }
    self.context = context
    SSL_CTX_set_verify(context, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
    SSL_CTX_set_options(context, chattrix_tls_options)
    let protocols: [UInt8] = [8] + "http/1.1".utf8
    guard SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil) == 1,
      SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count)) == 0,
      SSL_CTX_set_default_verify_paths(context) == 1
    else { throw .trustStore(tlsErrorReason()) }
    // An idle connection keeps no buffers: there may be one for each of 256 threads.
    let modes =
      SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE
      | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
    SSL_CTX_ctrl(context, SSL_CTRL_MODE, Int(modes), nil)
    if let caFile, SSL_CTX_load_verify_locations(context, caFile, nil) != 1 {
      throw .trustStore("\(caFile): \(tlsErrorReason())")
    }
  }

  deinit { SSL_CTX_free(context) }
}

/// The reason of OpenSSL's last error in this thread.
func tlsErrorReason() -> String {
  guard let reason = ERR_reason_error_string(ERR_peek_last_error()) else { return "unknown error" }
  return String(cString: reason)
}
