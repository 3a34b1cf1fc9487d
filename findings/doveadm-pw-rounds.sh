#!/bin/sh
# Dovecot 2.3.19.1 (Debian 1:2.3.19.1+dfsg1-2.1+deb12u7): `doveadm pw -r` moves the memory of
# Argon2id, the time of Argon2i, and nothing for SCRAM.
#
# Guess: `-r` sets the time cost `t` of both Argon2 variants, and the iteration count of SCRAM.
# Behaviour: `-r 3` leaves `t=3` for ARGON2ID and raises `m` from 64 MiB to 256 MiB. `-r 5` sets
# `t=5` for ARGON2I and leaves `m`. SCRAM-SHA-256 has 4096 iterations whatever `-r` says.
# Effect: a verifier that bounds memory refuses hashes of an operator who asked for three rounds.
#
# Output seen on 2026-11-30:
#   ARGON2ID: m=65536,t=3
#   ARGON2ID -r 2: m=65536,t=3
#   ARGON2ID -r 3: m=262144,t=3
#   ARGON2I: m=32768,t=4
#   ARGON2I -r 5: m=32768,t=5
#   SCRAM-SHA-256: 4096
#   SCRAM-SHA-256 -r 20000: 4096
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
printf 'ssl = no\nbase_dir = %s/run\npassdb {\n  driver = static\n}\n' "$dir" >dovecot.conf
echo "Dovecot $(dovecot --version)"

cat >expected <<'END'
ARGON2ID: m=65536,t=3
ARGON2ID -r 2: m=65536,t=3
ARGON2ID -r 3: m=262144,t=3
ARGON2I: m=32768,t=4
ARGON2I -r 5: m=32768,t=5
SCRAM-SHA-256: 4096
SCRAM-SHA-256 -r 20000: 4096
END

# Prints the schemes and options as given, and the cost that the hash carries.
cost() {
  hash=$(doveadm -c dovecot.conf pw -p secret -s "$@")
  case $hash in
    '{SCRAM'*) found=$(echo "$hash" | sed 's/^{[^}]*}//; s/,.*//') ;;
    *) found=$(echo "$hash" | cut -d '$' -f 4 | sed 's/,p=.*//') ;;
  esac
  echo "$*: $found"
}
{
  cost ARGON2ID
  cost ARGON2ID -r 2
  cost ARGON2ID -r 3
  cost ARGON2I
  cost ARGON2I -r 5
  cost SCRAM-SHA-256
  cost SCRAM-SHA-256 -r 20000
} >seen
cat seen
diff -u expected seen
