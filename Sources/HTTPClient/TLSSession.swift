// The client's side of TLS on a connected socket (OpenSSL's SSL), a step at a time.

import CLibSSL
import Glibc
import HTTP

final class TLSSession {
  private let ssl: OpaquePointer
  private let host: String
  private let isAddress: Bool
  /// After a fatal error nothing more may be done with the session (SSL_get_error(3)).
  private var hasFailed = false
  private var isEstablished = false

  /// - Parameter socket: Non-blocking; must stay open for as long as this lives.
  init(to url: HTTPURL, on socket: Int32, trust: TrustStore) throws(HTTPClientError) {
    ERR_clear_error()
    guard let ssl = SSL_new(trust.context) else { throw .tls(tlsErrorReason()) }
    self.ssl = ssl
    (host, isAddress) = (url.host, url.isAddress)
    guard let bio = SocketBIO.make(socket), expect(url) else { throw .tls(tlsErrorReason()) }
    SSL_set_bio(ssl, bio, bio)
  }

  deinit { SSL_free(ssl) }

  /// Sends close_notify where that does not have to be waited for. Writes to the socket, whose number may be
  /// another connection's as soon as it is closed: not to be left to `deinit`.
  func close() {
    if isEstablished, !hasFailed { SSL_shutdown(ssl) }
  }

  /// Whom the certificate has to be for: a name or an address among its alternative names, without a look at
  /// the subject (RFC 9525, 2). Servers are told names only (RFC 6066, 3).
  private func expect(_ url: HTTPURL) -> Bool {
    let parameters = SSL_get0_param(ssl)
    if url.isAddress { return X509_VERIFY_PARAM_set1_ip_asc(parameters, url.host) == 1 }
    X509_VERIFY_PARAM_set_hostflags(
      parameters,
      UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
    return url.host.withCString { name in
      X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1
        && SSL_ctrl(
          ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name),
          UnsafeMutableRawPointer(mutating: name)) == 1
    }
  }

  func handshake() -> Transfer {
    ERR_clear_error()
    let result = SSL_connect(ssl)
    if result == 1 {
      isEstablished = true
      return .done(0)
    }
    let transfer = transfer(result)
    guard case .failed = transfer else {
      if case .done = transfer { return .failed(.connectionClosed) }
      return transfer
    }
    let verification = SSL_get_verify_result(ssl)
    guard verification != X509_V_OK else { return transfer }
    return .failed(.tlsVerification(String(cString: X509_verify_cert_error_string(verification))))
  }

  /// nil where the server has shown none.
  var certificate: ServerCertificate? {
    guard let certificate = SSL_get1_peer_certificate(ssl) else { return nil }
    defer { X509_free(certificate) }
    var (days, seconds): (Int32, Int32) = (0, 0)
    guard ASN1_TIME_diff(&days, &seconds, nil, X509_get0_notAfter(certificate)) == 1 else {
      return nil
    }
    return ServerCertificate(
      secondsLeft: Int(days) * 86_400 + Int(seconds), isForHost: isForHost(certificate),
      chainFault: chainFault)
  }

  private func isForHost(_ certificate: OpaquePointer) -> Bool {
    let flags = UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
    return isAddress
      ? X509_check_ip_asc(certificate, host, 0) == 1
      : X509_check_host(certificate, host, 0, flags, nil) == 1
  }

  /// OpenSSL builds and judges the chain also where it does not insist on it (SSL_CTX_set_verify(3)).
  private var chainFault: String? {
    let result = SSL_get_verify_result(ssl)
    let others = [
      X509_V_OK, X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH,
      X509_V_ERR_CERT_HAS_EXPIRED,
    ]
    if others.contains(where: { Int($0) == result }) { return nil }
    return String(cString: X509_verify_cert_error_string(result))
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
    ERR_clear_error()
    return transfer(SSL_read(ssl, buffer.baseAddress, Int32(clamping: buffer.count)))
  }

  /// - Parameter bytes: Not empty. After `.wants` the same ones come again.
  func write(_ bytes: UnsafeRawBufferPointer) -> Transfer {
    ERR_clear_error()
    return transfer(SSL_write(ssl, bytes.baseAddress, Int32(clamping: bytes.count)))
  }

  /// Whether nothing has arrived, or messages of TLS itself alone (a session ticket, a key update).
  func isQuiet() -> Bool {
    var byte: UInt8 = 0
    ERR_clear_error()
    if case .wants = transfer(SSL_peek(ssl, &byte, 1)) { return true }
    return false
  }

  private func transfer(_ result: Int32) -> Transfer {
    if result > 0 { return .done(Int(result)) }
    switch SSL_get_error(ssl, result) {
    case SSL_ERROR_WANT_READ: return .wants(POLLIN)
    case SSL_ERROR_WANT_WRITE: return .wants(POLLOUT)
    case SSL_ERROR_ZERO_RETURN: return .done(0)
    case SSL_ERROR_SYSCALL:
      hasFailed = true
      return .failed(.connectionClosed)
    default:
      hasFailed = true
      return .failed(.tls(tlsErrorReason()))
    }
  }
}
