// libssl of OpenSSL 3: the client's side of TLS, with its certificates verified.
#pragma once
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// SSL_CTX_set_options(3): the options are macros with casts. An end of the stream without close_notify is
// its end: where a response's framing says how long it is, a shorter one is noticed all the same.
static const uint64_t chattrix_tls_options = SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION;
