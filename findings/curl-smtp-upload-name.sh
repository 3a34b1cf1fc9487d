#!/bin/sh
# curl 7.88.1 (Debian 7.88.1-10+deb12u15) greets an SMTP server with the name of the uploaded file.
#
# Guess: `curl -T letter.eml smtp://server` says EHLO with the name of the client's host.
# Behaviour: two rules of curl meet. `-T` appends the file name to a URL that has no path, and the
# path of an smtp URL is the name for EHLO. Only a URL with a path of its own keeps its name.
# Effect: a server that resolves the name finds no such host, and may refuse the client.
#
# Output seen on 2026-11-30:
#   without a path: EHLO letter.eml
#   with a path: EHLO client.example.org
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
curl --version | head -n 1

cat >expected <<'END'
without a path: EHLO letter.eml
with a path: EHLO client.example.org
END

printf 'Subject: test\r\n\r\nhello\r\n' >letter.eml

cat >run.mjs <<'END'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const greetings = [];
const server = createServer(async (socket) => {
  let inText = false;
  socket.write('220 mx.example.org ESMTP\r\n');
  for await (const line of createInterface({ input: socket })) {
    if (inText && line !== '.') continue;
    if (line.startsWith('EHLO')) greetings.push(line);
    inText = line === 'DATA';
    socket.write(inText ? '354 go ahead\r\n' : line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
  }
});
await once(server.listen(0, '127.0.0.1'), 'listening');

for (const [name, path] of [['without a path', ''], ['with a path', '/client.example.org']]) {
  const url = `smtp://127.0.0.1:${server.address().port}${path}`;
  const mail = ['--mail-from', 'ann@example.org', '--mail-rcpt', 'joe@example.org'];
  const options = ['-q', '-sS', '--noproxy', '*', '--max-time', '20', ...mail];
  const curl = spawn('curl', [...options, '-T', 'letter.eml', url], { stdio: 'inherit' });
  const [code] = await once(curl, 'exit');
  if (code !== 0) throw new Error(`curl ends with ${code}`);
  console.log(`${name}: ${greetings.pop()}`);
}
server.close();
END

node run.mjs >seen
cat seen
diff -u expected seen
