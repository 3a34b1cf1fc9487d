#!/bin/sh
# OpenLDAP 2.5.13 (Debian slapd 2.5.13+dfsg-5): `slappasswd -h {CRYPT}` writes two schemes, by the
# length of the password.
#
# Guess: without a salt format (`-c`) the hash is the DES hash of crypt(3): 13 characters, of which
# the password's first 8 octets decide.
# Behaviour: the hash of a password of up to 8 octets is that. A longer password gets bigcrypt: 11
# more characters for each 8 octets. libxcrypt tells the two apart by the length of the setting, and
# slappasswd passes 31 random characters. Neither hash has a prefix.
# Effect: a parser that knows DES by its 13 characters refuses these users. An 8-octet password
# also lets in longer ones that begin with it.
#
# Output seen on 2026-11-30:
#   8 octets: 13 characters, right password: match, with more octets: match
#   9 octets: 24 characters, right password: match, with more octets: mismatch
#   17 octets: 35 characters, right password: match, with more octets: mismatch
#   60 octets: 90 characters, right password: match, with more octets: mismatch
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
slapd -VV 2>&1 | sed -n 's/.*\(OpenLDAP: slapd [^ ]*\).*/\1/p'

cat >expected <<'END'
8 octets: 13 characters, right password: match, with more octets: match
9 octets: 24 characters, right password: match, with more octets: mismatch
17 octets: 35 characters, right password: match, with more octets: mismatch
60 octets: 90 characters, right password: match, with more octets: mismatch
END

# Prints whether crypt(3) makes the hash of the password again.
compare() {
  if [ "$(perl -e 'print crypt($ARGV[0], $ARGV[1])' "$1" "$2")" = "$2" ]; then echo match; else echo mismatch; fi
}
for octets in 8 9 17 60; do
  password=$(printf '%060d' 0 | cut -c "1-$octets")
  hash=$(slappasswd -h '{CRYPT}' -s "$password" | sed 's/^{CRYPT}//')
  echo "$octets octets: ${#hash} characters, right password: $(compare "$password" "$hash")," \
    "with more octets: $(compare "${password}more" "$hash")"
done >seen
cat seen
diff -u expected seen
