// SCRAM-SHA-256 (RFC 5802, RFC 7677): the client's messages, and the check of the server's signature.
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The keys that follow from the password, for one salt and iteration count (RFC 5802 §3).
typedef struct {
  char parameters[OUTPUT_OCTETS]; // as in the server-first-message: s=…,i=…
  uint8_t client[32];
  hmac_key stored, server;
} scram_keys;

// The keys are cached, so that PBKDF2 runs once for each salt and iteration count.
static const scram_keys *keys_of(const char *server_first) {
  static scram_keys cache[16];
  static int filled, next;
  const char *parameters = strstr(server_first, ",s=");
  const char *count = parameters ? strstr(parameters, ",i=") : NULL;
  if (count == NULL) fail("not a server-first-message: %s", server_first);
  for (int i = 0; i < filled; i++)
    if (strcmp(cache[i].parameters, parameters) == 0) return &cache[i];

  scram_keys *keys = &cache[next++ % 16];
  if (filled < 16) filled++;
  char salt[OUTPUT_OCTETS];
  uint8_t salted[32], stored[32], server[32];
  snprintf(keys->parameters, sizeof keys->parameters, "%s", parameters);
  size_t salt_length = decode(parameters + 3, count - parameters - 3, salt);
  pbkdf2(options.password, salt, salt_length, atoi(count + 3), salted);
  hmac_key key = hmac_key_of(salted, 32);
  hmac(&key, "Client Key", 10, keys->client);
  hmac(&key, "Server Key", 10, server);
  hash(keys->client, 32, stored);
  keys->stored = hmac_key_of(stored, 32);
  keys->server = hmac_key_of(server, 32);
  return keys;
}

void scram_first(connection *c) {
  static uint64_t counter, random = 0x9e3779b97f4a7c15;
  char message[OUTPUT_OCTETS];
  random ^= random << 13, random ^= random >> 7, random ^= random << 17; // xorshift (Marsaglia 2003)
  if (options.users == 0) snprintf(c->name, sizeof c->name, "%s", options.user);
  else snprintf(c->name, sizeof c->name, "%s%07u", options.user, (uint32_t)(random >> 32) % options.users);
  snprintf(c->nonce, sizeof c->nonce, "%024llx", (unsigned long long)++counter);
  int length = snprintf(message, sizeof message, "n,,n=%s,r=%s", c->name, c->nonce);
  strcpy(c->output, "AUTH SCRAM-SHA-256 ");
  size_t end = strlen(c->output);
  end += encode(message, length, c->output + end);
  strcpy(c->output + end, "\r\n");
}

void scram_challenge(connection *c, const char *line, size_t length) {
  if (length > OUTPUT_OCTETS) fail("a challenge of %zu bytes", length);
  c->server_first[decode(line + 4, length - 4, c->server_first)] = 0;
  if (strncmp(c->server_first, "r=", 2) != 0 || strncmp(c->server_first + 2, c->nonce, NONCE_OCTETS) != 0) fail("not our nonce: %s", c->server_first);
}

// The AuthMessage, and in it the place where client-final-without-proof begins.
static int auth_message(connection *c, char *message, size_t size, int *final) {
  const char *end_of_nonce = strchr(c->server_first, ',');
  if (end_of_nonce == NULL) fail("not a server-first-message: %s", c->server_first);
  *final = snprintf(message, size, "n=%s,r=%s,%s,", c->name, c->nonce, c->server_first);
  return *final + snprintf(message + *final, size - *final, "c=biws,%.*s", (int)(end_of_nonce - c->server_first), c->server_first);
}

void scram_final(connection *c) {
  char message[4 * OUTPUT_OCTETS];
  uint8_t proof[32];
  int final, length = auth_message(c, message, sizeof message, &final);
  const scram_keys *keys = keys_of(c->server_first);
  hmac(&keys->stored, message, length, proof);
  for (int i = 0; i < 32; i++) proof[i] ^= keys->client[i];
  char *response = message + final, *end = message + length;
  memcpy(end, ",p=", 3);
  end += 3;
  end += encode(proof, 32, end);
  size_t encoded = encode(response, end - response, c->output);
  strcpy(c->output + encoded, "\r\n");
}

void scram_signature(connection *c, const char *line, size_t length) {
  char message[4 * OUTPUT_OCTETS], said[OUTPUT_OCTETS], right[64] = "v=";
  uint8_t signature[32];
  int final, message_length = auth_message(c, message, sizeof message, &final);
  if (length > OUTPUT_OCTETS) fail("a challenge of %zu bytes", length);
  size_t said_length = decode(line + 4, length - 4, said);
  hmac(&keys_of(c->server_first)->server, message, message_length, signature);
  size_t right_length = 2 + encode(signature, 32, right + 2);
  if (said_length != right_length || memcmp(said, right, right_length) != 0) fail("a wrong server signature");
}
