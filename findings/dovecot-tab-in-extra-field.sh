#!/bin/sh
# Dovecot 2.3.19.1 (Debian 1:2.3.19.1+dfsg1-2.1+deb12u7): a TAB between two extra fields of a
# passwd-file ends the auth process at each login of that user.
#
# Guess: blanks and TABs part extra fields, or the line is an error of the configuration.
# Behaviour: the auth process fails an assertion (auth_fields_add) and dies with all its requests.
# Effect: a login of that one user breaks the logins of all users that run at that time.
#
# Output seen on 2026-11-30:
#   ann: auth succeeded
#   joe: the connection closed
#   panics: 1
set -eu
dir=$(mktemp -d)
trap 'kill "$pid" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
pid=
cd "$dir"
chmod 755 .
mkdir run state
printf 'ann:{PLAIN}pw\njoe:{PLAIN}pw::::::nodelay\tnologin\n' >users
chmod 644 users
cat >dovecot.conf <<END
base_dir = $dir/run
state_dir = $dir/state
log_path = $dir/log
protocols =
ssl = no
passdb {
  driver = passwd-file
  args = $dir/users
}
service auth {
  unix_listener $dir/auth {
    mode = 0666
  }
}
END
echo "Dovecot $(dovecot --version)"
dovecot -F -c dovecot.conf >/dev/null 2>&1 &
pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
  [ -S auth ] && break
  sleep 1
done

login() {
  case $(doveadm -c dovecot.conf auth test -a "$dir/auth" "$1" pw 2>&1) in
    *closed*) echo "$1: the connection closed" ;;
    *succeeded*) echo "$1: auth succeeded" ;;
    *) echo "$1: auth failed" ;;
  esac
}
cat >expected <<'END'
ann: auth succeeded
joe: the connection closed
panics: 1
END
{
  login ann
  login joe
  echo "panics: $(grep -c 'Panic: .*auth_fields_add' log)"
} >seen
cat seen
diff -u expected seen
