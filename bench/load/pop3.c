// The dialogues of POP3 (RFC 1939, RFC 5034), as steps.
#include "load.h"
#include <stdio.h>
#include <string.h>

// RFC 4616.
static void auth_plain(connection *c) {
  char response[OUTPUT_OCTETS / 2];
  int length = options.users > 0 ? snprintf(response, sizeof response, "%c%s%07d%c%s", 0, options.user, c->number % options.users, 0, options.password)
                                 : snprintf(response, sizeof response, "%c%s%c%s", 0, options.user, 0, options.password);
  if (length >= (int)sizeof response) fail("the name and the password are too long");
  strcpy(c->output, "AUTH PLAIN ");
  size_t end = strlen(c->output);
  end += encode(response, length, c->output + end);
  strcpy(c->output + end, "\r\n");
}

static void retrieve(connection *c) {
  c->message = c->message % options.messages + 1;
  snprintf(c->output, sizeof c->output, "RETR %d\r\n", c->message);
}

void plan_pop3(const char *work) {
  last_step = (step){.data = "QUIT\r\n", .length = 6, .codes = {POP3_OK}};
  say("", POP3_OK);
  step *login = say("", POP3_OK);
  login->compose = auth_plain;
  login->login = 1;
  if (strcmp(work, "login") == 0) {
    say("STAT\r\n", POP3_OK);
    say("QUIT\r\n", POP3_OK);
    return;
  }
  loop_from = step_count;
  if (strcmp(work, "hold") == 0) return;
  if (strcmp(work, "retr") != 0) fail("no such work: pop3-%s", work);
  if (options.messages < 1) fail("pop3-retr needs messages=N");
  step *retr = say("", POP3_OK);
  retr->compose = retrieve;
  retr->message = retr->has_text = 1;
}
