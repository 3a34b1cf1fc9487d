// SHA-256 (FIPS 180-4), HMAC (RFC 2104) and PBKDF2 (RFC 8018 §5.2).
#include "load.h"
#include <string.h>

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

void hash(const void *data, size_t length, uint8_t out[32]) { digest(initial, 0, data, length, out); }

// An HMAC key as the two states that its pads lead to.
hmac_key hmac_key_of(const void *key, size_t length) {
  hmac_key k = {initial, initial};
  uint8_t pad[64] = {0};
  if (length > sizeof pad) hash(key, length, pad);
  else memcpy(pad, key, length);
  for (int i = 0; i < 64; i++) pad[i] ^= 0x36;
  compress(&k.inner, pad);
  for (int i = 0; i < 64; i++) pad[i] ^= 0x36 ^ 0x5c;
  compress(&k.outer, pad);
  return k;
}

void hmac(const hmac_key *key, const void *data, size_t length, uint8_t out[32]) {
  digest(key->inner, 64, data, length, out);
  digest(key->outer, 64, out, 32, out);
}

// The first block of PBKDF2 with HMAC-SHA-256.
void pbkdf2(const char *password, const void *salt, size_t salt_length, int iterations, uint8_t out[32]) {
  hmac_key key = hmac_key_of(password, strlen(password));
  uint8_t block[OUTPUT_OCTETS], u[32];
  if (salt_length + 4 > sizeof block) fail("a salt of %zu octets", salt_length);
  memcpy(block, salt, salt_length);
  memcpy(block + salt_length, "\0\0\0\1", 4);
  hmac(&key, block, salt_length + 4, u);
  memcpy(out, u, 32);
  for (int i = 1; i < iterations; i++) {
    hmac(&key, u, 32, u);
    for (int j = 0; j < 32; j++) out[j] ^= u[j];
  }
}
