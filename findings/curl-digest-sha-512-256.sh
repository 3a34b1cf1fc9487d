#!/bin/sh
# curl 7.88.1 (Debian 7.88.1-10+deb12u15) names SHA-512-256 in HTTP Digest, and computes SHA-256.
#
# Guess: curl either computes SHA-512/256 (RFC 7616 §3.2), or ignores a challenge that names it.
# Behaviour: the answer says `algorithm=SHA-512-256`, and its response is the SHA-256 one.
# Effect: a server that offers SHA-512-256 alone never lets this client in.
#
# Output seen on 2026-11-30:
#   algorithm named: SHA-512-256
#   response of sha512-256: no
#   response of sha256: yes
#   response of md5: no
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
curl --version | head -n 1

cat >expected <<'END'
algorithm named: SHA-512-256
response of sha512-256: no
response of sha256: yes
response of md5: no
END

cat >run.mjs <<'END'
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

const challenge = 'Digest realm="mail", nonce="abc", qop="auth", algorithm=SHA-512-256';
const report = ({ authorization }) => {
  const field = (name) => new RegExp(`\\b${name}="?([^",]*)`).exec(authorization)?.[1];
  console.log(`algorithm named: ${field('algorithm')}`);
  for (const algorithm of ['sha512-256', 'sha256', 'md5']) {
    const hash = (text) => createHash(algorithm).update(text).digest('hex');
    const [user, request] = [hash('joe:mail:secret'), hash('GET:/')];
    const parts = [user, 'abc', field('nc'), field('cnonce'), 'auth', request];
    const same = hash(parts.join(':')) === field('response');
    console.log(`response of ${algorithm}: ${same ? 'yes' : 'no'}`);
  }
};
const server = createServer((request, response) => {
  if (request.headers.authorization === undefined) {
    response.writeHead(401, { 'WWW-Authenticate': challenge }).end();
  } else {
    report(request.headers);
    response.end();
  }
});
await once(server.listen(0, '127.0.0.1'), 'listening');

const url = `http://127.0.0.1:${server.address().port}/`;
const options = ['-q', '-sS', '--noproxy', '*', '--max-time', '20', '--digest'];
const curl = spawn('curl', [...options, '-u', 'joe:secret', url], { stdio: 'inherit' });
await once(curl, 'exit');
server.close();
END

node run.mjs >seen
cat seen
diff -u expected seen
