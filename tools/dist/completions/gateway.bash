# Completion of gateway and gateway-load for bash. What they know comes from their own --help, so that this
# is never older than they are.

# The options, and what stands under "Subcommands:", a word a line.
_gateway_words() {
  "$@" --help 2>/dev/null | awk '
    /^[^ ]/ { subcommands = tolower($0) ~ /^subcommands:/ }
    /^ +-/ { gsub(",", "\n", $1); print $1 }
    /^  [a-z]/ && subcommands { print $1 }'
}

# What kind of value an option takes, such as FILE or UINT; nothing if it takes none.
_gateway_value() {
  "${@:2}" --help 2>/dev/null | awk -v option="$1" '
    /^ +-[^ ]+ [^ ]/ && index("," $1 ",", "," option ",") { sub(/[:=].*/, "", $2); print $2 }'
}

# Whether it takes files without an option.
_gateway_takes_files() {
  "$@" --help 2>/dev/null | awk '
    /^[^ ]/ { positionals = tolower($0) ~ /^positionals:/ }
    positionals && $2 == "FILE" { found = 1 }
    END { exit !found }'
}

_gateway() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} value='' one
  local -a command=("$1")
  # A subcommand has a help of its own.
  for one in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $one == [a-z]* ]] && _gateway_words "${command[@]}" | grep -qx -- "$one"; then
      command+=("$one")
    fi
  done
  [[ $previous != -* ]] || value=$(_gateway_value "$previous" "${command[@]}")
  case $value in
    '')
      if [[ $word != -* ]] && _gateway_takes_files "${command[@]}"; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
      else
        mapfile -t COMPREPLY < <(compgen -W "$(_gateway_words "${command[@]}")" -- "$word")
      fi
      ;;
    FILE | TEXT)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      ;;
    *) COMPREPLY=() ;;
  esac
}

complete -F _gateway gateway gateway-load
