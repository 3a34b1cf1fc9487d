// A load generator for SMTP servers: one thread, one epoll, every reply checked.
//
//   load WORK key=value…       WORK: session, login, scram, single, batched, pipelined, bulk, hold
//
// port=N           where the server listens, on 127.0.0.1
// pid=N            the server's process, to tell how busy it was
// at-once=N        connections at the same time
// warm-up=MS, measure=MS    of the server's processor time, but no longer than four times that by the clock
// body=FILE        a message as it goes over the wire, without the final dot
// plain=BASE64     the initial response of AUTH PLAIN
// user=NAME, client-key=HEX, server-key=HEX       the keys of SCRAM-SHA-256 (RFC 5802 §3)
// users=N          for `scram`: N users with these keys, named NAME0000000, NAME0000001, …, in random order
// hold=N,M…        for `hold`: opens N connections, then M, …; after each it says so and waits for a line on stdin
//
// It never sleeps: a server that had to wake it with every reply would pay for that, and the slower one more often.
// Prints one line of JSON. Anything unexpected ends it at once, with a line on stderr and exit code 1.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REPLIES = 4, INPUT = 4096, OUTPUT = 1024, NONCE = 24, NAME = 64, PATIENCE_MS = 120000 };

typedef struct connection connection;

// One write, and the replies that it brings.
typedef struct {
  const char *data;
  size_t length;
  int codes[REPLIES]; // up to the first 0
  void (*compose)(connection *); // instead of data: writes connection.output
  void (*check)(connection *, const char *line, size_t length); // of the last reply
  int message; // 1: its first reply acknowledges a message
  int login; // 1: its last reply says that the client is logged in
} step;

struct connection {
  int fd, step, heard, awaits_end, writing;
  size_t sent, used;
  char input[INPUT];
  char output[OUTPUT];
  char name[NAME], nonce[NONCE + 1], server_first[OUTPUT];
};

static step steps[12], last_words;
static int step_count, loop_from = -1; // -1: a connection runs the steps once and is replaced
static int port, at_once = 64, poller, open_connections, stopping;
static char *body, *hold;
static size_t body_length;
static struct {
  uint64_t sessions, messages, logins, bytes;
} total;

static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("load: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

// ---------------------------------------------------------------------------------------------- SHA-256 (FIPS 180-4)

typedef struct {
  uint32_t h[8];
} sha256;

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, int n) { return x >> n | x << (32 - n); }

static void compress(sha256 *s, const uint8_t *block) {
  uint32_t w[64], v[8];
  for (int i = 0; i < 16; i++) w[i] = (uint32_t)block[4 * i] << 24 | block[4 * i + 1] << 16 | block[4 * i + 2] << 8 | block[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
    uint32_t b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + a + w[i - 7] + b;
  }
  memcpy(v, s->h, sizeof v);
  for (int i = 0; i < 64; i++) {
    uint32_t e = v[4], a = v[0];
    uint32_t t = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + K[i] + w[i];
    uint32_t u = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
    memmove(v + 1, v, 7 * sizeof *v);
    v[4] += t;
    v[0] = t + u;
  }
  for (int i = 0; i < 8; i++) s->h[i] += v[i];
}

static const sha256 initial = {{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}};

// Ends a hash of which `before` bytes, whole blocks, are in the state already.
static void digest(sha256 s, size_t before, const void *data, size_t length, uint8_t out[32]) {
  const uint8_t *p = data;
  uint64_t bits = (before + length) * 8;
  uint8_t tail[128] = {0};
  for (; length >= 64; p += 64, length -= 64) compress(&s, p);
  memcpy(tail, p, length);
  tail[length] = 0x80;
  size_t end = length < 56 ? 64 : 128;
  for (int i = 0; i < 8; i++) tail[end - 1 - i] = bits >> 8 * i;
  for (size_t i = 0; i < end; i += 64) compress(&s, tail + i);
  for (int i = 0; i < 32; i++) out[i] = s.h[i / 4] >> (24 - 8 * (i % 4));
}

// An HMAC key (RFC 2104) as the two states that its pads lead to.
typedef struct {
  sha256 inner, outer;
} hmac_key;

static hmac_key hmac_key_of(const uint8_t key[32]) {
  hmac_key k = {initial, initial};
  uint8_t pad[64];
  for (int i = 0; i < 64; i++) pad[i] = (i < 32 ? key[i] : 0) ^ 0x36;
  compress(&k.inner, pad);
  for (int i = 0; i < 64; i++) pad[i] ^= 0x36 ^ 0x5c;
  compress(&k.outer, pad);
  return k;
}

static void hmac(const hmac_key *key, const void *data, size_t length, uint8_t out[32]) {
  digest(key->inner, 64, data, length, out);
  digest(key->outer, 64, out, 32, out);
}

// ------------------------------------------------------------------------------------------------------------ base64

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t encode(const void *data, size_t length, char *out) {
  const uint8_t *p = data;
  char *o = out;
  for (; length > 0; p += 3) {
    size_t n = length < 3 ? length : 3;
    uint32_t v = p[0] << 16 | (n > 1 ? p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
    *o++ = alphabet[v >> 18];
    *o++ = alphabet[v >> 12 & 63];
    *o++ = n > 1 ? alphabet[v >> 6 & 63] : '=';
    *o++ = n > 2 ? alphabet[v & 63] : '=';
    length -= n;
  }
  return o - out;
}

static size_t decode(const char *text, size_t length, char *out) {
  static int8_t values[256];
  if (values['B'] == 0) {
    memset(values, -1, sizeof values);
    for (int i = 0; i < 64; i++) values[(uint8_t)alphabet[i]] = i;
  }
  char *o = out;
  uint32_t v = 0;
  int bits = 0;
  for (; length > 0 && *text != '='; text++, length--) {
    if (values[(uint8_t)*text] < 0) fail("a challenge that is not base64");
    v = v << 6 | values[(uint8_t)*text];
    if ((bits += 6) >= 8) *o++ = v >> (bits -= 8);
  }
  return o - out;
}

// ------------------------------------------------------------------------------------------ SCRAM-SHA-256 (RFC 5802)

static const char *user = "";
static uint32_t users; // 0: the one user
static uint8_t client_key[32];
static hmac_key stored_hmac, server_hmac;

static void scram_first(connection *c) {
  static uint64_t counter, random = 0x9e3779b97f4a7c15;
  char message[OUTPUT];
  random ^= random << 13, random ^= random >> 7, random ^= random << 17; // xorshift (Marsaglia 2003)
  if (users == 0) snprintf(c->name, sizeof c->name, "%s", user);
  else snprintf(c->name, sizeof c->name, "%s%07u", user, (uint32_t)(random >> 32) % users);
  snprintf(c->nonce, sizeof c->nonce, "%024llx", (unsigned long long)++counter);
  int length = snprintf(message, sizeof message, "n,,n=%s,r=%s", c->name, c->nonce);
  strcpy(c->output, "AUTH SCRAM-SHA-256 ");
  size_t end = strlen(c->output);
  end += encode(message, length, c->output + end);
  strcpy(c->output + end, "\r\n");
}

static void scram_challenge(connection *c, const char *line, size_t length) {
  if (length > OUTPUT) fail("a challenge of %zu bytes", length);
  c->server_first[decode(line + 4, length - 4, c->server_first)] = 0;
  if (strncmp(c->server_first, "r=", 2) != 0 || strncmp(c->server_first + 2, c->nonce, NONCE) != 0) fail("not our nonce: %s", c->server_first);
}

// The AuthMessage, and in it the place where client-final-without-proof begins.
static int auth_message(connection *c, char *message, size_t size, int *final) {
  const char *end_of_nonce = strchr(c->server_first, ',');
  if (end_of_nonce == NULL) fail("not a server-first-message: %s", c->server_first);
  *final = snprintf(message, size, "n=%s,r=%s,%s,", c->name, c->nonce, c->server_first);
  return *final + snprintf(message + *final, size - *final, "c=biws,%.*s", (int)(end_of_nonce - c->server_first), c->server_first);
}

static void scram_final(connection *c) {
  char message[4 * OUTPUT];
  uint8_t proof[32];
  int final, length = auth_message(c, message, sizeof message, &final);
  hmac(&stored_hmac, message, length, proof);
  for (int i = 0; i < 32; i++) proof[i] ^= client_key[i];
  char *response = message + final, *end = message + length;
  memcpy(end, ",p=", 3);
  end += 3;
  end += encode(proof, 32, end);
  size_t encoded = encode(response, end - response, c->output);
  strcpy(c->output + encoded, "\r\n");
}

static void scram_signature(connection *c, const char *line, size_t length) {
  char message[4 * OUTPUT], said[OUTPUT], right[64] = "v=";
  uint8_t signature[32];
  int final, message_length = auth_message(c, message, sizeof message, &final);
  if (length > OUTPUT) fail("a challenge of %zu bytes", length);
  size_t said_length = decode(line + 4, length - 4, said);
  hmac(&server_hmac, message, message_length, signature);
  size_t right_length = 2 + encode(signature, 32, right + 2);
  if (said_length != right_length || memcmp(said, right, right_length) != 0) fail("a wrong server signature");
}

// ------------------------------------------------------------------------------------------------------------- steps

static step *add(const char *data, size_t length, int code) {
  step *s = &steps[step_count++];
  *s = (step){.data = data, .length = length, .codes = {code}};
  return s;
}

static step *say(const char *data, int code) { return add(data, strlen(data), code); }

static step *say_message(const char *behind, int second, int third, int fourth) {
  size_t length = body_length + strlen(behind);
  char *data = malloc(length + 1);
  if (data == NULL) fail("no memory");
  memcpy(data, body, body_length);
  strcpy(data + body_length, behind);
  step *s = add(data, length, 250);
  s->codes[1] = second, s->codes[2] = third, s->codes[3] = fourth;
  s->message = 1;
  return s;
}

#define MAIL "MAIL FROM:<joe@example.com>\r\n"
#define RCPT "RCPT TO:<ann@example.com>\r\n"
#define DATA "DATA\r\n"
#define QUIT "QUIT\r\n"

static void say_transaction(void) {
  step *s = say(MAIL RCPT DATA, 250);
  s->codes[1] = 250, s->codes[2] = 354;
}

static void plan(const char *work, const char *plain) {
  static char auth[OUTPUT];
  snprintf(auth, sizeof auth, "AUTH PLAIN %s\r\n", plain);
  last_words = (step){.data = QUIT, .length = strlen(QUIT), .codes = {221}};

  say("", 220);
  say("EHLO client.example.com\r\n", 250);
  if (strcmp(work, "scram") == 0) {
    *say("", 334) = (step){.codes = {334}, .compose = scram_first, .check = scram_challenge};
    *say("", 334) = (step){.codes = {334}, .compose = scram_final, .check = scram_signature};
    say("\r\n", 235)->login = 1;
    say(QUIT, 221);
    return;
  }
  say(auth, 235)->login = 1;
  if (strcmp(work, "login") == 0) {
    say(QUIT, 221);
    return;
  }
  loop_from = step_count;
  if (strcmp(work, "hold") == 0) return;
  if (body == NULL) fail("%s needs body=FILE", work);
  if (strcmp(work, "session") == 0) {
    loop_from = -1;
    say(MAIL, 250);
    say(RCPT, 250);
    say(DATA, 354);
    say_message("", 0, 0, 0);
    say(QUIT, 221);
  } else if (strcmp(work, "single") == 0) {
    say(MAIL, 250);
    say(RCPT, 250);
    say(DATA, 354);
    say_message("", 0, 0, 0);
  } else if (strcmp(work, "batched") == 0 || strcmp(work, "bulk") == 0) {
    say_transaction();
    say_message("", 0, 0, 0);
  } else if (strcmp(work, "pipelined") == 0) {
    say_transaction();
    loop_from = step_count;
    say_message(MAIL RCPT DATA, 250, 250, 354);
    last_words = *say_message(QUIT, 221, 0, 0);
    step_count--;
  } else {
    fail("no such work: %s", work);
  }
}

// ------------------------------------------------------------------------------------------------------- connections

static const step *step_of(const connection *c) { return c->step < 0 ? &last_words : &steps[c->step]; }

static void watch(connection *c, int how, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (epoll_ctl(poller, how, c->fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
}

static void go_on_writing(connection *c) {
  const step *s = step_of(c);
  const char *data = s->compose ? c->output : s->data;
  size_t length = s->compose ? strlen(c->output) : s->length;
  while (c->sent < length) {
    ssize_t n = send(c->fd, data + c->sent, length - c->sent, MSG_NOSIGNAL);
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
  c->heard = 0;
  c->sent = 0;
  const step *s = step_of(c);
  if (s->compose) s->compose(c);
  go_on_writing(c);
}

static void dial(connection *c) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (c->fd < 0) fail("socket: %s", strerror(errno));
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) fail("connect: %s", strerror(errno));
  c->used = c->sent = 0;
  c->step = c->heard = c->awaits_end = c->writing = 0;
  watch(c, EPOLL_CTL_ADD, EPOLLIN);
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
  } else if (hold == NULL) {
    begin(c, stopping ? -1 : loop_from);
  }
}

static void reply(connection *c, const char *line, size_t length) {
  const step *s = step_of(c);
  int code = length >= 3 ? (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0' : 0;
  if (c->awaits_end || c->heard == REPLIES || s->codes[c->heard] == 0) fail("a reply that nobody asked for: %.*s", (int)length, line);
  if (code != s->codes[c->heard]) fail("expected %d, heard %.*s", s->codes[c->heard], (int)length, line);
  if (length > 3 && line[3] == '-') return;
  if (s->message && c->heard == 0) total.messages++;
  c->heard++;
  if (c->heard < REPLIES && s->codes[c->heard] != 0) return;
  if (c->writing) fail("a reply before all was said: %.*s", (int)length, line);
  if (s->check) s->check(c, line, length);
  step_done(c);
}

static void ended(connection *c) {
  if (!c->awaits_end) fail("the server closed the connection at step %d", c->step);
  close(c->fd);
  open_connections--;
  if (loop_from >= 0) return;
  total.sessions++;
  if (!stopping) dial(c);
}

static void readable(connection *c) {
  ssize_t n = recv(c->fd, c->input + c->used, INPUT - c->used, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n < 0) fail("recv: %s", strerror(errno));
  if (n == 0) {
    ended(c);
    return;
  }
  char *line = c->input, *end = c->input + c->used + n, *feed;
  while ((feed = memchr(line, '\n', end - line)) != NULL) {
    if (feed == line || feed[-1] != '\r') fail("a reply without CRLF");
    reply(c, line, feed - 1 - line);
    line = feed + 1;
  }
  c->used = end - line;
  if (c->used == INPUT) fail("a reply line of more than %d bytes", INPUT);
  memmove(c->input, line, c->used);
}

static void turn(void) {
  struct epoll_event events[256];
  int n = epoll_wait(poller, events, 256, 0);
  if (n < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
  static double last_sign;
  if (n > 0 || last_sign == 0) last_sign = now();
  if (n == 0 && now() - last_sign > PATIENCE_MS / 1e3) fail("silence for %d ms", PATIENCE_MS);
  for (int i = 0; i < n; i++) {
    connection *c = events[i].data.ptr;
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable(c);
    if (c->writing && events[i].events & EPOLLOUT) go_on_writing(c);
  }
}

// --------------------------------------------------------------------------------------------------------- measuring

// The processor time of all threads of a process, from /proc/PID/task/TID/schedstat.
static double seconds_of(int pid) {
  char name[600];
  double nanoseconds = 0;
  snprintf(name, sizeof name, "/proc/%d/task", pid);
  DIR *threads = opendir(name);
  if (threads == NULL) return 0;
  for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
    unsigned long long running = 0;
    snprintf(name, sizeof name, "/proc/%d/task/%s/schedstat", pid, thread->d_name);
    FILE *file = thread->d_name[0] == '.' ? NULL : fopen(name, "r");
    if (file == NULL) continue;
    if (fscanf(file, "%llu", &running) == 1) nanoseconds += running;
    fclose(file);
  }
  closedir(threads);
  return nanoseconds / 1e9;
}

// Goes on until the server has worked for so long; without a process to look at, until so much time has passed.
static void turn_for(double seconds, int pid) {
  double begin = now(), worked = seconds_of(pid), looked = begin;
  while (now() - begin < seconds * (pid ? 4 : 1)) {
    turn();
    if (!pid || now() - looked < 0.02) continue;
    looked = now();
    if (seconds_of(pid) - worked >= seconds) return;
  }
}

static void run(int warm_up, int measure, int pid) {
  connection *all = calloc(at_once, sizeof *all);
  if (all == NULL) fail("no memory");
  for (int i = 0; i < at_once; i++) dial(&all[i]);
  turn_for(warm_up / 1e3, pid);

  double server = seconds_of(pid), seconds = now();
  __typeof__(total) before = total;
  turn_for(measure / 1e3, pid);
  __typeof__(total) after = total;
  seconds = now() - seconds;
  server = seconds_of(pid) - server;

  stopping = 1;
  double end = now() + PATIENCE_MS / 1e3;
  while (open_connections > 0) {
    if (now() > end) fail("%d connections do not come to an end", open_connections);
    turn();
  }
  printf("{\"seconds\":%.6f,\"sessions\":%llu,\"messages\":%llu,\"bytes\":%llu,\"serverBusy\":%.3f,"
         "\"allMessages\":%llu,\"allLogins\":%llu}\n",
         seconds, (unsigned long long)(after.sessions - before.sessions), (unsigned long long)(after.messages - before.messages),
         (unsigned long long)(after.bytes - before.bytes), server / seconds, (unsigned long long)total.messages,
         (unsigned long long)total.logins);
}

static void run_hold(void) {
  int opened = 0;
  for (char *number = strtok(hold, ","); number != NULL; number = strtok(NULL, ",")) {
    int wanted = atoi(number);
    while ((int)total.logins < wanted) {
      while (opened < wanted && opened - (int)total.logins < at_once) {
        connection *c = calloc(1, sizeof *c);
        if (c == NULL) fail("no memory");
        dial(c);
        opened++;
      }
      turn();
    }
    printf("%d\n", wanted);
    fflush(stdout);
    char line[16];
    if (fgets(line, sizeof line, stdin) == NULL) return;
  }
}

static void read_body(const char *name) {
  FILE *file = fopen(name, "r");
  if (file == NULL) fail("%s: %s", name, strerror(errno));
  fseek(file, 0, SEEK_END);
  long length = ftell(file);
  rewind(file);
  body = malloc(length + 4);
  if (body == NULL || fread(body, 1, length, file) != (size_t)length) fail("%s cannot be read", name);
  fclose(file);
  strcpy(body + length, ".\r\n");
  body_length = length + 3;
}

static void read_key(const char *hex, uint8_t key[32]) {
  for (int i = 0; i < 32; i++)
    if (sscanf(hex + 2 * i, "%2hhx", &key[i]) != 1) fail("a key has 64 hexadecimal digits");
}

int main(int count, char **arguments) {
  if (count < 2) fail("usage: load WORK key=value…");
  const char *plain = "";
  int warm_up = 1000, measure = 2000, pid = 0;
  uint8_t stored_key[32], server_key[32] = {0};
  for (int i = 2; i < count; i++) {
    char *value = strchr(arguments[i], '=');
    if (value == NULL) fail("not key=value: %s", arguments[i]);
    *value++ = 0;
    const char *key = arguments[i];
    if (strcmp(key, "port") == 0) port = atoi(value);
    else if (strcmp(key, "pid") == 0) pid = atoi(value);
    else if (strcmp(key, "at-once") == 0) at_once = atoi(value);
    else if (strcmp(key, "warm-up") == 0) warm_up = atoi(value);
    else if (strcmp(key, "measure") == 0) measure = atoi(value);
    else if (strcmp(key, "body") == 0) read_body(value);
    else if (strcmp(key, "plain") == 0) plain = value;
    else if (strcmp(key, "user") == 0) user = value;
    else if (strcmp(key, "users") == 0) users = atoi(value);
    else if (strcmp(key, "client-key") == 0) read_key(value, client_key);
    else if (strcmp(key, "server-key") == 0) read_key(value, server_key);
    else if (strcmp(key, "hold") == 0) hold = value;
    else fail("no such key: %s", key);
  }
  digest(initial, 0, client_key, 32, stored_key);
  stored_hmac = hmac_key_of(stored_key);
  server_hmac = hmac_key_of(server_key);
  plan(arguments[1], plain);

  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (poller < 0) fail("epoll_create1: %s", strerror(errno));
  if (hold) run_hold();
  else run(warm_up, measure, pid);
  return 0;
}
