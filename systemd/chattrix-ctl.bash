# shellcheck shell=bash
# bash completion of chattrix-ctl: commands and options as the program's own help lists them, so that they are always
# those of the installed version.

_chattrix_ctl() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]}
  local typed="${COMP_WORDS[*]:1:COMP_CWORD-1}" synopses
  synopses=$("$program" help 2>/dev/null | sed -nE 's/^  ([^ ].*[^ ]|[^ ]+) {2,}[^ ].*$/\1/p')
  COMPREPLY=()
  case $previous in
    --sql | --origins)
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return
      ;;
    --format)
      mapfile -t COMPREPLY < <(compgen -W "csv jsonl" -- "$word")
      return
      ;;
  esac
  local choices
  if ((COMP_CWORD == 1)); then
    choices=$(cut -d' ' -f1 <<<"$synopses")$'\nhelp\n--version'
  else
    # The second word of those commands that have two; then the options of the command that is typed.
    choices=$(awk -v typed="$typed" 'index($0 " ", typed " ") == 1 && split(typed, words, " ") == 1 && $2 ~ /^[a-z]/ { print $2 }' \
      <<<"$synopses")
    [[ -n $choices ]] || choices=$(awk -v typed="$typed " '
      {
        name = $1 ($2 ~ /^[a-z]/ ? " " $2 : "")
        if (index(typed, name " ") == 1) {
          while (match($0, /--[a-z-]+/)) { print substr($0, RSTART, RLENGTH); $0 = substr($0, RSTART + RLENGTH) }
          print "--json\n--help"
        }
      }' <<<"$synopses")
  fi
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
}

complete -F _chattrix_ctl chattrix-ctl
