// A load generator for SMTP and POP3 servers: one thread, one epoll, every reply checked.
//
//   load WORK key=value…       WORK: session, login, scram, single, batched, pipelined, bulk, hold;
//                                  pop3-login, pop3-retr, pop3-hold
//
// port=N                where the server listens, on 127.0.0.1
// pids=N,M…             the server's processes, which measure the time
// at-once=N             connections at the same time
// windows=AT:FOR,…      what is counted: FOR ms of the servers' processor time, after AT ms of it. Each wait ends
//                       at the latest when four times as long and 5 s have passed by the clock
// body=FILE             a message as it is sent, without the final dot
// user=NAME, password=PASSWORD
// users=N               for `scram`: N users with this password, NAME0000000, NAME0000001, …, in random order;
//                       for POP3: each connection has its own of these users, because a session locks a mailbox
// messages=N, octets=M  for `pop3-retr`: the messages of a mailbox in turn, each of M octets as sent
// certificate=FILE      TLS 1.3 from the first octet (RFC 8314 §3.3), with a server of this certificate
// resume=1              TLS sessions are resumed with the server's newest ticket
// hold=N,M…             for `hold`: opens N connections, then M, …; after each it prints so and waits for a line on stdin
//
// The program never sleeps: a server that had to wake it with every reply would pay for that, and a slow server more
// often. It prints one line of JSON. Anything unexpected ends it at once, with a line on stderr and exit code 1.
#include "load.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct options options = {.at_once = 64, .user = "", .password = ""};
counts total;
int stopping;

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

static void read_body(const char *name) {
  FILE *file = fopen(name, "r");
  if (file == NULL) fail("%s: %s", name, strerror(errno));
  fseek(file, 0, SEEK_END);
  long length = ftell(file);
  rewind(file);
  char *body = malloc(length + 4);
  if (body == NULL || fread(body, 1, length, file) != (size_t)length) fail("%s cannot be read", name);
  fclose(file);
  strcpy(body + length, ".\r\n");
  options.body = body;
  options.body_length = length + 3;
}

static int read_pids(char *list, int *pids) {
  int count = 0;
  for (char *pid = strtok(list, ","); pid != NULL; pid = strtok(NULL, ",")) {
    if (count == MAX_PIDS) fail("more than %d processes", MAX_PIDS);
    pids[count++] = atoi(pid);
  }
  return count;
}

static int read_windows(char *list, window *windows) {
  int count = 0;
  for (char *text = strtok(list, ","); text != NULL; text = strtok(NULL, ",")) {
    double from, length;
    if (count == MAX_WINDOWS || sscanf(text, "%lf:%lf", &from, &length) != 2) fail("expected windows=AT:FOR,…");
    windows[count++] = (window){.from = from / 1e3, .seconds = length / 1e3};
  }
  return count;
}

// As many open files as the machine permits.
static void raise_limit(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

int main(int count, char **arguments) {
  if (count < 2) fail("usage: load WORK key=value…");
  const char *certificate = NULL;
  char *numbers = NULL;
  int pids[MAX_PIDS], pid_count = 0, window_count = 0, resume = 0;
  window windows[MAX_WINDOWS];
  for (int i = 2; i < count; i++) {
    char *value = strchr(arguments[i], '=');
    if (value == NULL) fail("not key=value: %s", arguments[i]);
    *value++ = 0;
    const char *key = arguments[i];
    if (strcmp(key, "port") == 0) options.port = atoi(value);
    else if (strcmp(key, "pids") == 0) pid_count = read_pids(value, pids);
    else if (strcmp(key, "at-once") == 0) options.at_once = atoi(value);
    else if (strcmp(key, "windows") == 0) window_count = read_windows(value, windows);
    else if (strcmp(key, "body") == 0) read_body(value);
    else if (strcmp(key, "user") == 0) options.user = value;
    else if (strcmp(key, "password") == 0) options.password = value;
    else if (strcmp(key, "users") == 0) options.users = atoi(value);
    else if (strcmp(key, "messages") == 0) options.messages = atoi(value);
    else if (strcmp(key, "octets") == 0) options.octets = atol(value);
    else if (strcmp(key, "certificate") == 0) certificate = value;
    else if (strcmp(key, "resume") == 0) resume = atoi(value);
    else if (strcmp(key, "hold") == 0) numbers = value;
    else fail("no such key: %s", key);
  }
  options.holds = numbers != NULL;
  transport_begin(certificate, resume);
  plan(arguments[1]);
  raise_limit();
  begin_polling();
  if (options.holds) hold(numbers);
  else measure(pids, pid_count, windows, window_count);
  return 0;
}
