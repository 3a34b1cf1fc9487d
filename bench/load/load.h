// A load generator for SMTP and POP3 servers: one thread, one epoll, every reply checked.
#ifndef LOAD_H
#define LOAD_H
#define _GNU_SOURCE
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { MAX_REPLIES = 4, INPUT_OCTETS = 4096, OUTPUT_OCTETS = 1024, NONCE_OCTETS = 24, NAME_OCTETS = 64, TIMEOUT_MS = 120000 };

// The statuses of POP3 (RFC 1939 §3, RFC 5034 §4), beside the codes of SMTP.
enum { POP3_OK = 1, POP3_ERR = 2, POP3_CONTINUE = 3 };

typedef struct connection connection;

// One write, and the replies that it brings.
typedef struct {
  const char *data;
  size_t length;
  int codes[MAX_REPLIES];                                       // up to the first 0
  void (*compose)(connection *);                                // instead of data: writes connection.output
  void (*check)(connection *, const char *line, size_t length); // checks the last reply
  int message;                                                  // 1: its first reply acknowledges a message
  int has_text;                                                 // 1: lines up to a dot follow its reply (RFC 1939 §3)
  int login;                                                    // 1: its last reply says that the client is logged in
} step;

struct connection {
  int fd, step, replies, awaits_end, writing;
  int number;      // from 0; replaced connections keep it
  int in_text;     // 1: the lines of a POP3 reply are being read
  int message;     // the number of the POP3 message
  size_t text;     // the octets of those lines so far
  int connecting; // 1: a TLS client that has not sent its first octet
  void *tls;      // the SSL object, in a build with TLS
  size_t sent, used;
  char input[INPUT_OCTETS];
  char output[OUTPUT_OCTETS];
  char name[NAME_OCTETS], nonce[NONCE_OCTETS + 1], server_first[OUTPUT_OCTETS];
};

typedef struct {
  uint64_t sessions, messages, logins, bytes, received, resumed;
} counts;

// The command line (main.c).
extern struct options {
  int port, at_once, users, messages;
  size_t octets;
  const char *user, *password, *body;
  size_t body_length;
  int holds; // 1: connections stay open after their login
} options;
extern counts total;
extern int stopping;

void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
double now(void);

// sha256.c
typedef struct {
  uint32_t h[8];
} sha256;
typedef struct {
  sha256 inner, outer;
} hmac_key;
void hash(const void *data, size_t length, uint8_t out[32]);
hmac_key hmac_key_of(const void *key, size_t length);
void hmac(const hmac_key *key, const void *data, size_t length, uint8_t out[32]);
void pbkdf2(const char *password, const void *salt, size_t salt_length, int iterations, uint8_t out[32]);

// base64.c
size_t encode(const void *data, size_t length, char *out);
size_t decode(const char *text, size_t length, char *out);

// scram.c
void scram_first(connection *c);
void scram_challenge(connection *c, const char *line, size_t length);
void scram_final(connection *c);
void scram_signature(connection *c, const char *line, size_t length);

// plan.c
extern step steps[], last_step;
extern int step_count, loop_from;
void plan(const char *work);
step *say(const char *data, int code);

// pop3.c
void plan_pop3(const char *work);

// transport.c: as send, recv and close, over TLS in a build with TLS
void transport_begin(const char *certificate, int resume);
void transport_open(connection *c);
ssize_t transport_send(connection *c, const void *data, size_t length);
ssize_t transport_receive(connection *c, void *data, size_t length);
void transport_close(connection *c);

// connections.c
extern int open_connections;
void begin_polling(void);
void dial(connection *c);
void turn(void);

// measure.c
enum { MAX_WINDOWS = 4, MAX_PIDS = 16 };
typedef struct {
  double from, seconds; // seconds of the servers' processor time since the first connection
} window;
void measure(const int *pids, int pid_count, const window *windows, int window_count);

// hold.c
void hold(char *numbers);

#endif
