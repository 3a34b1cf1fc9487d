// Base64 (RFC 4648 §4).
#include "load.h"
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t encode(const void *data, size_t length, char *out) {
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

size_t decode(const char *text, size_t length, char *out) {
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
