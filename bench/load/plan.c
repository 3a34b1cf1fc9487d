// The dialogue of each work, as steps.
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

step steps[12], last_step;
int step_count, loop_from = -1; // -1: a connection runs the steps once and is replaced

static step *add(const char *data, size_t length, int code) {
  step *s = &steps[step_count++];
  *s = (step){.data = data, .length = length, .codes = {code}};
  return s;
}

step *say(const char *data, int code) { return add(data, strlen(data), code); }

static step *say_message(const char *behind, int second, int third, int fourth) {
  size_t length = options.body_length + strlen(behind);
  char *data = malloc(length + 1);
  if (data == NULL) fail("no memory");
  memcpy(data, options.body, options.body_length);
  strcpy(data + options.body_length, behind);
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

// RFC 4616.
static const char *auth_plain(void) {
  static char line[OUTPUT_OCTETS];
  char response[OUTPUT_OCTETS / 2];
  int length = snprintf(response, sizeof response, "%c%s%c%s", 0, options.user, 0, options.password);
  if (length >= (int)sizeof response) fail("the name and the password are too long");
  strcpy(line, "AUTH PLAIN ");
  size_t end = strlen(line);
  end += encode(response, length, line + end);
  strcpy(line + end, "\r\n");
  return line;
}

void plan(const char *work) {
  if (strncmp(work, "pop3-", 5) == 0) {
    plan_pop3(work + 5);
    return;
  }
  last_step = (step){.data = QUIT, .length = strlen(QUIT), .codes = {221}};

  say("", 220);
  say("EHLO client.example.com\r\n", 250);
  if (strcmp(work, "scram") == 0) {
    *say("", 334) = (step){.codes = {334}, .compose = scram_first, .check = scram_challenge};
    *say("", 334) = (step){.codes = {334}, .compose = scram_final, .check = scram_signature};
    say("\r\n", 235)->login = 1;
    say(QUIT, 221);
    return;
  }
  say(auth_plain(), 235)->login = 1;
  if (strcmp(work, "login") == 0) {
    say(QUIT, 221);
    return;
  }
  loop_from = step_count;
  if (strcmp(work, "hold") == 0) return;
  if (options.body == NULL) fail("%s needs body=FILE", work);
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
    last_step = *say_message(QUIT, 221, 0, 0);
    step_count--;
  } else {
    fail("no such work: %s", work);
  }
}
