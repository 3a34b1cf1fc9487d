#!/bin/sh
# gsasl 2.2.0 (Debian 2.2.0-1+deb12u2) sends STARTTLS before any EHLO.
#
# Guess: the client says EHLO, reads the extensions, and then says STARTTLS (RFC 3207 §4).
# Behaviour: with --starttls the first line of the client is STARTTLS. It does not know whether the
# server offers the extension. Without TLS the first line is EHLO.
# Effect: a server that refuses STARTTLS before EHLO never gets this client to log in under TLS.
#
# Output seen on 2026-11-30:
#   --starttls: STARTTLS
#   --no-starttls: EHLO
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
gsasl --version | head -n 1

cat >expected <<'END'
--starttls: STARTTLS
--no-starttls: EHLO
END

cat >run.mjs <<'END'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const firstLines = [];
const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.write('220 mx.example.org ESMTP\r\n');
  createInterface({ input: socket }).once('line', (line) => {
    firstLines.push(line);
    socket.end('421 4.3.2 closing\r\n');
  });
});
await once(server.listen(0, '127.0.0.1'), 'listening');

for (const option of ['--starttls', '--no-starttls']) {
  const login = ['--smtp', '--mechanism=PLAIN', '--authentication-id=joe', '--password=secret'];
  const connect = `--connect=127.0.0.1:${server.address().port}`;
  const gsasl = spawn('gsasl', [option, ...login, connect], { stdio: 'ignore', timeout: 20_000 });
  await once(gsasl, 'exit');
  console.log(`${option}: ${firstLines.pop()?.split(' ')[0]}`);
}
server.close();
END

node run.mjs >seen
cat seen
diff -u expected seen
