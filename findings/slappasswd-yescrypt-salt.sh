#!/bin/sh
# OpenLDAP 2.5.13 (Debian slapd 2.5.13+dfsg-5): `slappasswd -c '$y$j75$%.22s'` fails for 15 of 16
# salts.
#
# Guess: a yescrypt salt has 22 characters (16 octets), so `%.22s` is the format to give, as
# `$2b$05$%.22s` is for bcrypt.
# Behaviour: slappasswd fills in 22 random characters. The last one carries only 2 bits, and
# libxcrypt refuses any other (it takes them for bcrypt). slappasswd then prints "Password
# verification failed." and exits with 1. `%.16s` (12 octets) always works.
# Effect: a script that sets passwords fails now and then, or nearly always.
#
# Output seen on 2026-11-30:
#   $y$j75$%.22s: fails
#   $y$j75$%.16s: works 40 times
#   $2b$04$%.22s: works 40 times
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
slapd -VV 2>&1 | sed -n 's/.*\(OpenLDAP: slapd [^ ]*\).*/\1/p'

cat >expected <<'END'
$y$j75$%.22s: fails
$y$j75$%.16s: works 40 times
$2b$04$%.22s: works 40 times
END

# Hashes a password 40 times and prints whether one of the calls fails.
attempt() {
  for number in $(seq 40); do
    slappasswd -h '{CRYPT}' -c "$1" -s secret >out 2>&1 && continue
    grep -q 'Password verification failed' out || cat out
    echo "$1: fails"
    return
  done
  echo "$1: works $number times"
}
{
  attempt '$y$j75$%.22s'
  attempt '$y$j75$%.16s'
  attempt '$2b$04$%.22s'
} >seen
cat seen
diff -u expected seen
