#!/bin/sh
# @mongodb-js/saslprep 1.6.3 throws a TypeError where the mapping leaves no character.
#
# Guess: a lone soft hyphen, which RFC 3454 table B.1 maps to nothing, becomes the empty string,
# as the empty string itself does.
# Behaviour: the bidirectional check reads the first character of the mapped text and finds none.
# The caller gets a TypeError, and cannot tell it from a programming error by its class.
#
# Output seen on 2026-11-30:
#   empty string: ""
#   letter and soft hyphen: "a"
#   soft hyphen: TypeError
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --ignore-scripts --save-exact @mongodb-js/saslprep@1.6.3

cat >expected <<'END'
empty string: ""
letter and soft hyphen: "a"
soft hyphen: TypeError
END

cat >run.js <<'END'
import saslprep from '@mongodb-js/saslprep';

const texts = { 'empty string': '', 'letter and soft hyphen': 'a\u00ad', 'soft hyphen': '\u00ad' };
for (const [name, text] of Object.entries(texts)) {
  try {
    console.log(`${name}: ${JSON.stringify(saslprep(text))}`);
  } catch (error) {
    console.log(`${name}: ${error.name}`);
  }
}
END

node run.js >seen
cat seen
diff -u expected seen
