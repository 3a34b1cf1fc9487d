#!/usr/bin/env bash
# Unpacks Debian's Exim into node_modules/.cache/exim4 for the tests: Debian installs no Exim beside
# Postfix. Exim needs its user by name, so the script adds the user. Runs as root. A second run does
# nothing.
set -euo pipefail
folder="$(cd "$(dirname "$0")/.." && pwd)/node_modules/.cache/exim4"

getent passwd Debian-exim >/dev/null ||
  useradd --system --user-group --no-create-home --home-dir /var/spool/exim4 --shell /usr/sbin/nologin Debian-exim
[[ ! -x $folder/usr/sbin/exim4 ]] || exit 0
download=$(mktemp -d)
trap 'rm -rf "$download"' EXIT
chmod 755 "$download"
(cd "$download" && apt-get -qq -o APT::Sandbox::User=root download exim4-daemon-heavy)
mkdir -p "$folder"
dpkg-deb --extract "$download"/exim4-daemon-heavy_*.deb "$folder"
# The tests start Exim as root: a copy that gives each user the rights of root serves no purpose.
chmod u-s "$folder/usr/sbin/exim4"
