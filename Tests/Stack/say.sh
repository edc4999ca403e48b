# shellcheck shell=bash
# A line for the person at the terminal; standard output stays for results.
say() { printf '%s\n' "$*" >&2; }
