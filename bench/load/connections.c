// The connections: each one runs the steps, and epoll says where something can be read or written.
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOURCES = 4096, READ_OCTETS = 1 << 18 };

int open_connections;
static int poller;

void begin_polling(void) {
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) fail("epoll_create1: %s", strerror(errno));
}

static const step *step_of(const connection *c) { return c->step < 0 ? &last_step : &steps[c->step]; }

static void watch(connection *c, int how, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (epoll_ctl(poller, how, c->fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
}

static void continue_writing(connection *c) {
  const step *s = step_of(c);
  const char *data = s->compose ? c->output : s->data;
  size_t length = s->compose ? strlen(c->output) : s->length;
  while (c->sent < length) {
    ssize_t n = transport_send(c, data + c->sent, length - c->sent);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      if (!c->writing) watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
      c->writing = 1;
      return;
    }
    if (n < 0) fail("send: %s", strerror(errno));
    c->sent += n;
    total.bytes += n;
  }
  if (c->writing) watch(c, EPOLL_CTL_MOD, EPOLLIN);
  c->writing = 0;
}

static void begin(connection *c, int number) {
  c->step = number;
  c->replies = 0;
  c->sent = 0;
  const step *s = step_of(c);
  if (s->compose) s->compose(c);
  continue_writing(c);
}

// Binds to a source address of its own, in turn, as real clients have one each: the servers limit
// the connections of an address. The kernel chooses the port in connect(2).
static void bind_source(int fd) {
  static unsigned next;
  unsigned number = next++ % SOURCES, on = 1;
  struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010002 + (number << 8))};
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&source, sizeof source) < 0) fail("bind: %s", strerror(errno));
}

void dial(connection *c) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c->fd < 0) fail("socket: %s", strerror(errno));
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  bind_source(c->fd);
  if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) fail("connect: %s", strerror(errno));
  c->used = c->sent = 0;
  c->step = c->replies = c->awaits_end = c->writing = c->in_text = 0;
  transport_open(c);
  // A TLS client speaks first, as soon as the connection is established.
  c->connecting = c->tls != NULL;
  watch(c, EPOLL_CTL_ADD, c->connecting ? EPOLLOUT : EPOLLIN);
  open_connections++;
}

static void step_done(connection *c) {
  if (step_of(c)->login) total.logins++;
  if (c->step < 0) {
    c->awaits_end = 1;
  } else if (c->step + 1 < step_count) {
    begin(c, c->step + 1);
  } else if (loop_from < 0) {
    c->awaits_end = 1;
  } else if (!options.holds) {
    begin(c, stopping ? -1 : loop_from);
  }
}

static int code_of(const char *line, size_t length) {
  if (length >= 3 && memcmp(line, "+OK", 3) == 0) return POP3_OK;
  if (length >= 4 && memcmp(line, "-ERR", 4) == 0) return POP3_ERR;
  if (length >= 2 && memcmp(line, "+ ", 2) == 0) return POP3_CONTINUE;
  return length >= 3 ? (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0' : 0;
}

static void reply(connection *c, const char *line, size_t length) {
  const step *s = step_of(c);
  int code = code_of(line, length);
  if (c->awaits_end || c->replies == MAX_REPLIES || s->codes[c->replies] == 0) fail("a reply without a command: %.*s", (int)length, line);
  if (code != s->codes[c->replies]) fail("expected %d, heard %.*s", s->codes[c->replies], (int)length, line);
  if (code >= 100 && length > 3 && line[3] == '-') return;
  if (s->has_text) {
    c->in_text = 1;
    c->text = 0;
    return;
  }
  if (s->message && c->replies == 0) total.messages++;
  c->replies++;
  if (c->replies < MAX_REPLIES && s->codes[c->replies] != 0) return;
  if (c->writing) fail("a reply before the whole command was sent: %.*s", (int)length, line);
  if (s->check) s->check(c, line, length);
  step_done(c);
}

// Reads lines up to the dot that ends them, and returns where the next reply may begin. `from` is the CRLF
// before the lines, or the last octets that were read before.
static char *read_text(connection *c, char *from, char *end) {
  const step *s = step_of(c);
  char *found = memmem(from, end - from, "\r\n.\r\n", 5);
  char *rest = found ? found + 5 : end - from > 4 ? end - 4 : from;
  c->text += rest - from;
  if (found == NULL) return rest;
  // CRLF before the lines, a dot and CRLF behind them.
  if (s->message && options.octets != 0 && c->text - 5 != options.octets) fail("a message of %zu octets, expected %zu", c->text - 5, options.octets);
  if (s->message) total.messages++;
  c->in_text = 0;
  step_done(c);
  return rest;
}

static void ended(connection *c) {
  if (!c->awaits_end) fail("the server closed the connection at step %d", c->step);
  transport_close(c);
  open_connections--;
  if (loop_from >= 0) return;
  total.sessions++;
  if (!stopping) dial(c);
}

// Returns 0 when nothing is left to read for now.
static int read_some(connection *c) {
  static char input[INPUT_OCTETS + READ_OCTETS];
  ssize_t n = transport_receive(c, input + c->used, READ_OCTETS);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n < 0) fail("recv: %s", strerror(errno));
  if (n == 0) {
    ended(c);
    return 0;
  }
  total.received += n;
  memcpy(input, c->input, c->used);
  char *line = input, *end = input + c->used + n, *feed;
  for (;;) {
    if (c->in_text) {
      line = read_text(c, line, end);
      if (c->in_text) break;
    }
    if ((feed = memchr(line, '\n', end - line)) == NULL) break;
    if (feed == line || feed[-1] != '\r') fail("a reply without CRLF");
    reply(c, line, feed - 1 - line);
    // The CRLF of a status line may be the one before the dot.
    line = c->in_text ? feed - 1 : feed + 1;
  }
  c->used = end - line;
  if (c->used >= INPUT_OCTETS) fail("a reply line of more than %d octets", INPUT_OCTETS);
  memcpy(c->input, line, c->used);
  return 1;
}

static void readable(connection *c) {
  // TLS may have decrypted more than one read takes, and epoll does not see that.
  while (read_some(c) && c->tls != NULL) continue;
}

void turn(void) {
  struct epoll_event events[256];
  int n = epoll_wait(poller, events, 256, 0);
  if (n < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
  static double last_sign;
  if (n > 0 || last_sign == 0) last_sign = now();
  if (n == 0 && now() - last_sign > TIMEOUT_MS / 1e3) fail("silence for %d ms", TIMEOUT_MS);
  for (int i = 0; i < n; i++) {
    connection *c = events[i].data.ptr;
    if (c->connecting) {
      c->connecting = 0;
      watch(c, EPOLL_CTL_MOD, EPOLLIN);
      readable(c);
      continue;
    }
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable(c);
    if (c->writing && events[i].events & EPOLLOUT) continue_writing(c);
  }
}
