#!/bin/sh
# @balena/proxy-protocol-parser 1.0.2 reads `PROXY UNKNOWN` as TCP over IPv6 with an address.
#
# Guess: the decoder returns no address, as it does for LOCAL, the counterpart in version 2.
# Behaviour: it returns protocol tcp, family IPv6, and the line end as the client's address. The
# short form without addresses is a valid header (PROXY protocol, §2.1).
# Effect: an application that asks whether an address is there logs or looks up a line end.
#
# Output seen on 2026-11-30:
#   version 1, TCP4: tcp IPv4 "192.0.2.1"
#   version 1, UNKNOWN: tcp IPv6 "\r\n"
#   version 2, LOCAL: no address
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --ignore-scripts --save-exact @balena/proxy-protocol-parser@1.0.2

cat >expected <<'END'
version 1, TCP4: tcp IPv4 "192.0.2.1"
version 1, UNKNOWN: tcp IPv6 "\r\n"
version 2, LOCAL: no address
END

cat >run.js <<'END'
import parser from '@balena/proxy-protocol-parser';

const headers = {
  'version 1, TCP4': Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.2 5000 25\r\n'),
  'version 1, UNKNOWN': Buffer.from('PROXY UNKNOWN\r\n'),
  'version 2, LOCAL': Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'),
};
for (const [name, header] of Object.entries(headers)) {
  const { protocol, remoteFamily, remoteAddress } = parser.decode(header);
  const address = `${protocol} ${remoteFamily} ${JSON.stringify(remoteAddress)}`;
  console.log(`${name}: ${remoteAddress === undefined ? 'no address' : address}`);
}
END

node run.js >seen
cat seen
diff -u expected seen
