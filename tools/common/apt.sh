# What the scripts here share to install packages and to ask the machine's own apt; to be sourced. Whoever
# sources it has a function `die MESSAGE`, which ends the script.

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "needs root, or sudo, for: $*"
  fi
}

# missing_of PACKAGE...: those that are not installed.
missing_of() {
  local package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      printf '%s ' "$package"
  done
}

# install_unstarted PACKAGE...: without their services, which start neither now (invoke-rc.d and its like ask
# policy-rc.d) nor with the machine. In a subshell: what it lays down it removes, however it ends.
install_unstarted() (
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'as_root rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  fi
  before=$(service_units)
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "$@" || exit 1
  command -v systemctl >/dev/null || exit 0
  comm -13 <(echo "$before") <(service_units) |
    while read -r unit; do as_root systemctl disable --quiet "$unit" </dev/null; done
)

# service_units: those that packages have laid down, without templates.
service_units() {
  [ ! -d /lib/systemd/system/ ] ||
    find /lib/systemd/system/ -maxdepth 1 -name '*.service' ! -name '*@*' -printf '%f\n' | sort
}

# distribution: the machine's, as os-release spells it: debian, ubuntu.
distribution() { (. /etc/os-release && echo "$ID"); }

# apt_targets FORMAT [FILTER]: one line for each package list that the machine's own apt reads from its
# distribution.
apt_targets() {
  local id
  id=$(distribution)
  apt-get indextargets --format "$1" "Origin: ${id^}" 'Created-By: Packages' "${@:2}"
}

# mirror: where the machine's own apt gets its distribution from; not the one for security updates.
mirror() {
  local id
  id=$(distribution)
  apt_targets '$(REPO_URI)' "Label: ${id^}" | sed -n 1p
}

# keyring_of DISTRIBUTION: where the package with its keys puts them, in its own releases and in others'.
keyring_of() { echo "/usr/share/keyrings/$1-archive-keyring.gpg"; }
