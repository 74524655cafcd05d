#!/bin/sh
# install.sh PACKAGE...: installs Debian packages. Called by bazel/bazelw with those that are
# missing.
#
# Every archive address comes from apt's own sources. mimalloc 3.6 is newer than Debian 12: it comes
# from trixie-backports of the same archive; nothing else is taken from there (backports keep their
# low priority).
set -eu

give_up() {
  echo "bazelw: cannot install: $1" >&2
  echo "bazelw: please install these packages yourself, then run the command again:" >&2
  echo "  $packages" >&2
  echo "bazelw: (libmimalloc-dev must be 3.6 or newer: on Debian 12 it is in trixie-backports)" >&2
  exit 1
}

packages=$*
[ -n "$packages" ] || exit 0
command -v apt-get > /dev/null || give_up "this system has no apt-get"

if [ "$(id -u)" -ne 0 ]; then
  command -v sudo > /dev/null || give_up "not root, and there is no sudo"
  echo "bazelw: installing with sudo: $packages" >&2
  sudo sh "$0" "$@" || give_up "sudo failed"
  exit 0
fi
# One at a time: two apt-get would refuse each other.
if [ -z "${ISOLATES_INSTALL_LOCKED:-}" ] && command -v flock > /dev/null; then
  ISOLATES_INSTALL_LOCKED=1 exec flock /var/lib/dpkg sh "$0" "$@"
fi

export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
  apt-get -y -q -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" > "$log" 2>&1 || {
    tail -n 30 "$log" >&2
    return 1
  }
}
archive_of() {
  apt-get indextargets --format '$(REPO_URI)' "Codename: $1" 'Created-By: Packages' |
    sort -u | head -n 1
}

echo "bazelw: installing (about a minute when nothing is there yet): $packages" >&2
apt update || give_up "apt-get update failed"

case " $packages " in
  *" libmimalloc-dev "*)
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    if [ "$codename" = bookworm ] && [ -z "$(archive_of trixie-backports)" ]; then
      archive=$(archive_of bookworm)
      keyring=/usr/share/keyrings/debian-archive-keyring.gpg
      [ -n "$archive" ] || give_up "apt's sources have no archive of Debian 12"
      [ -r "$keyring" ] || give_up "$keyring is missing (package debian-archive-keyring)"
      printf 'Types: deb\nURIs: %s\nSuites: trixie-backports\nComponents: main\nSigned-By: %s\n' \
        "$archive" "$keyring" > /etc/apt/sources.list.d/trixie-backports.sources
      apt update || give_up "apt-get update failed"
    fi
    if [ "$codename" = bookworm ]; then
      apt install --no-install-recommends -t trixie-backports libmimalloc-dev ||
        give_up "apt-get install failed"
    fi
    ;;
esac
# shellcheck disable=SC2086 # a list of names
apt install --no-install-recommends $packages || give_up "apt-get install failed"
