// The octets of a connection: the socket's own, or in TLS 1.3 where the program is compiled with -DTLS.
#include "load.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef TLS

void transport_begin(const char *certificate, int resume) {
  (void)resume;
  if (certificate != NULL) fail("certificate=FILE needs a build with -DTLS");
}

void transport_open(connection *c) { c->tls = NULL; }

ssize_t transport_send(connection *c, const void *data, size_t length) { return send(c->fd, data, length, MSG_NOSIGNAL); }

ssize_t transport_receive(connection *c, void *data, size_t length) { return recv(c->fd, data, length, 0); }

void transport_close(connection *c) { close(c->fd); }

#else
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>

static SSL_CTX *context;
static SSL_SESSION *session; // the newest ticket (RFC 8446 §4.6.1); NULL: full handshakes only
static int resumes;

static int keep_session(SSL *tls, SSL_SESSION *new_session) {
  (void)tls;
  if (!resumes) return 0;
  SSL_SESSION_free(session);
  session = new_session;
  return 1;
}

static const char *reason(void) {
  const char *text = ERR_reason_error_string(ERR_get_error());
  return text == NULL ? "no reason" : text;
}

// The certificate is the only one that the client trusts. Without a certificate there is no TLS.
void transport_begin(const char *certificate, int resume) {
  signal(SIGPIPE, SIG_IGN);
  if (certificate == NULL) return;
  resumes = resume;
  context = SSL_CTX_new(TLS_client_method());
  if (context == NULL) fail("SSL_CTX_new: %s", reason());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  if (SSL_CTX_load_verify_locations(context, certificate, NULL) != 1) fail("%s: %s", certificate, reason());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep_session);
}

void transport_open(connection *c) {
  c->tls = NULL;
  if (context == NULL) return;
  SSL *tls = SSL_new(context);
  if (tls == NULL || SSL_set_fd(tls, c->fd) != 1) fail("SSL_new: %s", reason());
  // A server may send different certificates for different names, and keeps sessions by name.
  SSL_set_tlsext_host_name(tls, "localhost");
  if (session != NULL) {
    // OpenSSL uses a ticket of TLS 1.3 once, and Node sends none to a client that resumes: a copy for each connection.
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    SSL_set_session(tls, copy);
    SSL_SESSION_free(copy);
  }
  SSL_set_connect_state(tls);
  c->tls = tls;
}

// SSL_read and SSL_write as recv(2) and send(2): -1 and EAGAIN, or 0 at the end.
static ssize_t result_of(connection *c, int n) {
  if (n > 0) return n;
  switch (SSL_get_error(c->tls, n)) {
  case SSL_ERROR_WANT_READ:
  case SSL_ERROR_WANT_WRITE: errno = EAGAIN; return -1;
  case SSL_ERROR_ZERO_RETURN: return 0;
  case SSL_ERROR_SYSCALL: return -1;
  default:
    // The server closed without the close_notify of RFC 8446 §6.1.
    if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return 0;
    fail("TLS: %s", reason());
  }
}

ssize_t transport_send(connection *c, const void *data, size_t length) {
  if (c->tls == NULL) return send(c->fd, data, length, MSG_NOSIGNAL);
  ERR_clear_error();
  return result_of(c, SSL_write(c->tls, data, length > 1 << 30 ? 1 << 30 : (int)length));
}

ssize_t transport_receive(connection *c, void *data, size_t length) {
  if (c->tls == NULL) return recv(c->fd, data, length, 0);
  ERR_clear_error();
  return result_of(c, SSL_read(c->tls, data, (int)length));
}

void transport_close(connection *c) {
  if (c->tls != NULL) {
    if (SSL_session_reused(c->tls)) total.resumed++;
    SSL_shutdown(c->tls);
    SSL_free(c->tls);
    c->tls = NULL;
  }
  close(c->fd);
}
#endif
