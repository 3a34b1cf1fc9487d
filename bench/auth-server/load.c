// A load generator for servers that answer requests on open connections: Dovecot's auth protocol, and HTTP/1.1.
// One thread, one epoll, every reply checked. It links ../load/measure.c and ../load/base64.c.
//
//   load auth path=SOCKET key=value…     PLAIN, on a UNIX socket
//   load http port=N key=value…          GET with Basic, on 127.0.0.1
//
// at-once=N             connections
// in-flight=N           requests of each connection that wait for their replies, at most 64; 1 for http
// user=NAME, password=PASSWORD
// pids=N,M…, windows=AT:FOR,…   as ../load/main.c has them
//
// `sessions` of the result counts replies. The program never sleeps, and sends the requests that one read has made
// room for in one write. Anything unexpected ends it at once, with a line on stderr and exit code 1.
#include "../load/load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MAX_IN_FLIGHT = 64, REQUEST_OCTETS = 512, READ_OCTETS = 1 << 16, LOGIN_OCTETS = 128 };

// The state of one connection beside `connection`, by its number.
typedef struct {
  uint32_t ids[MAX_IN_FLIGHT]; // the id of each open request; 0: none
  uint32_t turns;              // how often a request began, which makes ids unique
  int open, greeted;
  size_t length, sent; // of output
  char output[MAX_IN_FLIGHT * REQUEST_OCTETS];
  char input[READ_OCTETS];
  size_t used;
} peer;

struct options options = {.at_once = 1, .user = "", .password = ""};
counts total;
int stopping, open_connections;

static int is_http, in_flight = 1, poller;
static const char *path = "";
static char login[LOGIN_OCTETS * 2];
static peer *peers;

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  exit(1);
}

double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void flush(connection *c) {
  peer *p = &peers[c->number];
  while (p->sent < p->length) {
    ssize_t n = send(c->fd, p->output + p->sent, p->length - p->sent, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (n < 0) fail("send: %s", strerror(errno));
    p->sent += n;
    total.bytes += n;
  }
  if (p->sent == p->length) p->sent = p->length = 0;
  int writing = p->sent < p->length;
  if (writing == c->writing) return;
  c->writing = writing;
  struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = c};
  if (epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
}

static void add_request(peer *p, int slot) {
  char *out = p->output + p->length;
  if (p->length + REQUEST_OCTETS > sizeof p->output) fail("no room for a request");
  uint32_t id = p->turns++ * MAX_IN_FLIGHT + slot + 1;
  p->ids[slot] = id;
  p->open++;
  p->length += is_http ? sprintf(out, "GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic %s\r\n\r\n", login)
                       : sprintf(out, "AUTH\t%u\tPLAIN\tservice=smtp\tnologin\tlip=127.0.0.1\trip=127.0.0.1\tsecured\tresp=%s\n", id, login);
}

// Sends a request for each slot without one. The output is empty then, or holds whole requests.
static void fill(connection *c) {
  peer *p = &peers[c->number];
  if (p->sent > 0) return;
  for (int slot = 0; slot < in_flight && !stopping; slot++)
    if (p->ids[slot] == 0) add_request(p, slot);
  flush(c);
}

static void answered(connection *c, int slot) {
  peer *p = &peers[c->number];
  p->ids[slot] = 0;
  p->open--;
  total.sessions++;
}

// Reads one line of the auth protocol. Returns what follows it, or NULL without a whole line.
static char *read_auth(connection *c, char *from, char *end) {
  peer *p = &peers[c->number];
  char *feed = memchr(from, '\n', end - from);
  if (feed == NULL) return NULL;
  *feed = 0;
  if (!p->greeted) {
    if (strcmp(from, "DONE") == 0) {
      p->greeted = 1;
      p->length = sprintf(p->output, "VERSION\t1\t1\nCPID\t%u\n", (unsigned)getpid() * 64 + c->number);
    }
    return feed + 1;
  }
  char *rest;
  uint32_t id = strncmp(from, "OK\t", 3) == 0 ? strtoul(from + 3, &rest, 10) : 0;
  int slot = (id - 1) % MAX_IN_FLIGHT;
  if (id == 0 || p->ids[slot] != id) fail("expected OK for an open request, heard %s", from);
  size_t length = strlen(options.user);
  if (strncmp(rest, "\tuser=", 6) != 0 || strncmp(rest + 6, options.user, length) != 0) fail("expected the user, heard %s", from);
  answered(c, slot);
  return feed + 1;
}

// Reads one response. Returns what follows it, or NULL without a whole response.
static char *read_http(connection *c, char *from, char *end) {
  char *head = memmem(from, end - from, "\r\n\r\n", 4);
  if (head == NULL) return NULL;
  if (strncmp(from, "HTTP/1.1 200 ", 13) != 0) fail("expected 200, heard %.*s", (int)(head - from), from);
  char *field = memmem(from, head - from, "\r\nContent-Length: ", 18);
  if (field == NULL) fail("a response without Content-Length: %.*s", (int)(head - from), from);
  char *body = head + 4;
  if (end - body < atol(field + 18)) return NULL;
  answered(c, 0);
  return body + atol(field + 18);
}

static void end_connection(connection *c) {
  close(c->fd);
  open_connections--;
}

static void readable(connection *c) {
  peer *p = &peers[c->number];
  ssize_t n = recv(c->fd, p->input + p->used, sizeof p->input - p->used, 0);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  if (n < 0) fail("recv: %s", strerror(errno));
  if (n == 0) fail("the server closed the connection");
  total.received += n;
  char *from = p->input, *end = p->input + p->used + n, *rest;
  while (from < end && (rest = is_http ? read_http(c, from, end) : read_auth(c, from, end)) != NULL) from = rest;
  p->used = end - from;
  if (p->used == sizeof p->input) fail("a reply of more than %d octets", READ_OCTETS);
  memmove(p->input, from, p->used);
  if (p->greeted) fill(c);
  if (stopping && p->open == 0) end_connection(c);
}

void dial(connection *c) {
  struct sockaddr_un file = {.sun_family = AF_UNIX};
  struct sockaddr_in port = {.sin_family = AF_INET, .sin_port = htons(options.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr *address = is_http ? (struct sockaddr *)&port : (struct sockaddr *)&file;
  strncpy(file.sun_path, path, sizeof file.sun_path - 1);
  c->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c->fd < 0) fail("socket: %s", strerror(errno));
  if (connect(c->fd, address, is_http ? sizeof port : sizeof file) < 0) fail("connect: %s", strerror(errno));
  int one = 1;
  if (is_http) setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
  open_connections++;
  // An HTTP client speaks first.
  peers[c->number].greeted = is_http;
  if (is_http) fill(c);
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
    if (events[i].events & EPOLLOUT) flush(c);
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable(c);
  }
}

static int read_pids(char *list, int *pids) {
  int count = 0;
  for (char *pid = strtok(list, ","); pid != NULL && count < MAX_PIDS; pid = strtok(NULL, ",")) pids[count++] = atoi(pid);
  return count;
}

static int read_windows(char *list, window *windows) {
  int count = 0;
  double from, length;
  for (char *text = strtok(list, ","); text != NULL && count < MAX_WINDOWS; text = strtok(NULL, ",")) {
    if (sscanf(text, "%lf:%lf", &from, &length) != 2) fail("expected windows=AT:FOR,…");
    windows[count++] = (window){.from = from / 1e3, .seconds = length / 1e3};
  }
  return count;
}

// HTTP has NAME:PASSWORD in base64 (RFC 7617), PLAIN has NUL before each of the two (RFC 4616).
static void encode_login(void) {
  char text[LOGIN_OCTETS];
  int length = snprintf(text, sizeof text, "%s%s:%s", is_http ? "" : ":", options.user, options.password);
  if (length >= LOGIN_OCTETS) fail("a login of more than %d octets", LOGIN_OCTETS);
  if (!is_http) text[0] = text[1 + strlen(options.user)] = 0;
  login[encode(text, length, login)] = 0;
}

int main(int count, char **arguments) {
  if (count < 2) fail("usage: load auth|http key=value…");
  is_http = strcmp(arguments[1], "http") == 0;
  int pids[MAX_PIDS], pid_count = 0, window_count = 0;
  window windows[MAX_WINDOWS];
  for (int i = 2; i < count; i++) {
    char *value = strchr(arguments[i], '=');
    if (value == NULL) fail("not key=value: %s", arguments[i]);
    *value++ = 0;
    const char *key = arguments[i];
    if (strcmp(key, "path") == 0) path = value;
    else if (strcmp(key, "port") == 0) options.port = atoi(value);
    else if (strcmp(key, "pids") == 0) pid_count = read_pids(value, pids);
    else if (strcmp(key, "at-once") == 0) options.at_once = atoi(value);
    else if (strcmp(key, "in-flight") == 0) in_flight = atoi(value);
    else if (strcmp(key, "windows") == 0) window_count = read_windows(value, windows);
    else if (strcmp(key, "user") == 0) options.user = value;
    else if (strcmp(key, "password") == 0) options.password = value;
    else fail("no such key: %s", key);
  }
  if (in_flight < 1 || in_flight > MAX_IN_FLIGHT || (is_http && in_flight > 1)) fail("in-flight=%d", in_flight);
  encode_login();
  peers = calloc(options.at_once, sizeof *peers);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (peers == NULL || poller < 0) fail("no memory");
  measure(pids, pid_count, windows, window_count);
  return 0;
}
