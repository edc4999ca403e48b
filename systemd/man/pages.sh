#!/usr/bin/env bash
# Writes the manual pages: chattrix-ctl(1) with the commands as the program's own help has them, calls.env(5) with the
# settings of calls.env.example, and chattrix-calls(8), which the services' programs share.
#
#   pages.sh FOLDER     into FOLDER/man1, man5 and man8; takes .build/release/chattrix-ctl
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
repository=$(realpath -- "$here/../..")
readonly here repository target=${1:?FOLDER} ctl=${CHATTRIX_BIN:-$repository/.build/release}/chattrix-ctl

# Text as roff: no escapes, no minus that becomes a hyphen, no line that begins with a request.
roff() { sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^[.']/\\\\\&&/"; }

# The lines of `help` that are indented by two: a synopsis, two spaces or more, a summary.
commands() {
  local synopsis summary details words
  "$ctl" help | sed -nE 's/^  ([^ ].*[^ ]|[^ ]+) {2,}([^ ].*)$/\1\t\2/p' | while IFS=$'\t' read -r synopsis summary; do
    printf '.TP\n.B %s\n%s.\n' "$(roff <<<"$synopsis")" "$(roff <<<"${summary^}")"
    read -ra words <<<"$(name "$synopsis")"
    details=$("$ctl" "${words[@]}" --help </dev/null | tail -n +5)
    [[ -z $details ]] || printf '.IP\n%s\n' "$(roff <<<"$details" | sed 's/^$/.IP/')"
  done
}

# `calls end`, of `calls end CALL`.
name() { grep -oE '^[a-z-]+( [a-z]+)?' <<<"$1"; }

# A comment, then the settings that it explains. Text that is indented is a command.
settings() {
  roff <"$repository/systemd/calls.env.example" | awk '
    function flush(  i) {
      if (!count) { text = ""; return }
      for (i = 1; i <= count; i++) printf "%s\n.B %s\n", i == 1 ? ".TP" : ".TQ", names[i]
      if (text != "") printf "%s", text
      count = 0; text = ""
    }
    /^# \\-\\-\\- / {
      flush()
      gsub(/^# (\\-)+ | (\\-)+$/, "")
      print ".SS " $0
      started = 1
      next
    }
    !started { next }
    /^#?[A-Z_]+=/ { sub(/^#/, ""); sub(/=$/, ""); names[++count] = $0; next }
    /^#   / { if (count) flush(); sub(/^#   /, ""); text = text ".nf\n" $0 "\n.fi\n"; next }
    /^# / { if (count) flush(); sub(/^# /, ""); text = text $0 "\n"; next }
    { flush() }
    END { flush() }'
}

page() { # NAME.SECTION [PLACEHOLDER FILE]
  local folder=$target/man${1##*.}
  mkdir -p -- "$folder"
  sed -e "s/@VERSION@/$version/" -e "s/@DATE@/$date/" ${2:+-e "/^@$2@\$/{r $3" -e "d;}"} "$here/$1.in" >"$folder/$1"
  chmod 644 "$folder/$1"
}

version=$("$ctl" --version)
version=${version##* }
date=$(date --utc --date="@${SOURCE_DATE_EPOCH:-$(git -C "$repository" log -1 --format=%ct 2>/dev/null || date +%s)}" +%Y-%m-%d)
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
commands >"$scratch/commands"
settings >"$scratch/settings"
page chattrix-ctl.1 COMMANDS "$scratch/commands"
page calls.env.5 SETTINGS "$scratch/settings"
page chattrix-calls.8
for program in supervisor worker signaling webhooks; do
  ln -sf chattrix-calls.8 "$target/man8/chattrix-$program.8"
done
