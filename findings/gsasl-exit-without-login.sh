#!/bin/sh
# gsasl 2.2.0 (Debian 2.2.0-1+deb12u2) exits with 0 after no login at all.
#
# Guess: the exit code is 0 after a login only.
# Behaviour: where the server offers no mechanism that gsasl knows, gsasl closes the connection
# without AUTH and exits with 0. This holds even if --mechanism names one. A refused login ends
# with 1.
# Effect: a script that trusts the exit code reports a login that did not take place.
#
# Output seen on 2026-11-30:
#   offered PLAIN: AUTH, exit code 1
#   offered OAUTHBEARER: no AUTH, exit code 0
#   offered nothing: no AUTH, exit code 0
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
gsasl --version | head -n 1

cat >expected <<'END'
offered PLAIN: AUTH, exit code 1
offered OAUTHBEARER: no AUTH, exit code 0
offered nothing: no AUTH, exit code 0
END

cat >run.mjs <<'END'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

for (const mechanism of ['PLAIN', 'OAUTHBEARER', undefined]) {
  const offer = mechanism === undefined ? '' : `250-AUTH ${mechanism}\r\n`;
  let heardAuth = false;
  const server = createServer(async (socket) => {
    socket.on('error', () => {});
    socket.write('220 mx.example.org ESMTP\r\n');
    for await (const line of createInterface({ input: socket })) {
      heardAuth ||= line.startsWith('AUTH');
      if (line.startsWith('EHLO')) {
        socket.write(`250-mx.example.org\r\n${offer}250 ENHANCEDSTATUSCODES\r\n`);
      } else {
        socket.write('535 5.7.8 Authentication credentials invalid\r\n');
      }
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');

  const login = ['--mechanism=PLAIN', '--authentication-id=joe', '--password=secret'];
  const connect = `--connect=127.0.0.1:${server.address().port}`;
  const options = ['--smtp', '--no-starttls', ...login, connect];
  const gsasl = spawn('gsasl', options, { stdio: 'ignore', timeout: 20_000 });
  const [code] = await once(gsasl, 'exit');
  server.close();
  const auth = heardAuth ? 'AUTH' : 'no AUTH';
  console.log(`offered ${mechanism ?? 'nothing'}: ${auth}, exit code ${code}`);
}
END

node run.mjs >seen
cat seen
diff -u expected seen
