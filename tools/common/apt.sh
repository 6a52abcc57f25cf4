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
