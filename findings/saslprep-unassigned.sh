#!/bin/sh
# @mongodb-js/saslprep 1.6.3 looks for unassigned code points after NFKC, not before.
#
# Guess: `allowUnassigned: false` refuses each code point that Unicode 3.2 does not assign
# (RFC 4013 §2.5, RFC 3454 table A.1).
# Behaviour: the package applies NFKC first, with the Unicode version of the JavaScript engine,
# and looks for unassigned code points in the result. A younger code point with a compatibility
# decomposition into older ones therefore passes. A younger code point without one is refused.
# Effect: a peer that checks the text before NFKC refuses it or keeps the raw octets, and derives no
# SCRAM key or another one.
#
# Output seen on 2026-11-30:
#   U+20BF refused
#   U+32FF becomes U+4EE4 U+548C
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --ignore-scripts --save-exact @mongodb-js/saslprep@1.6.3

cat >expected <<'END'
U+20BF refused
U+32FF becomes U+4EE4 U+548C
END

cat >run.js <<'END'
import saslprep from '@mongodb-js/saslprep';

const spell = (text) =>
  [...text]
    .map((char) => `U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`)
    .join(' ');

for (const codePoint of [0x20bf, 0x32ff]) {
  const text = String.fromCodePoint(codePoint);
  try {
    console.log(`${spell(text)} becomes ${spell(saslprep(text, { allowUnassigned: false }))}`);
  } catch (error) {
    if (!/unassigned/i.test(error.message)) throw error;
    console.log(`${spell(text)} refused`);
  }
}
END

node run.js >seen
cat seen
diff -u expected seen
