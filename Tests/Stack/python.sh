# shellcheck shell=bash
# The Python that end-to-end tests and benchmarks run in: a virtual environment in .venv.

# shellcheck source=/dev/null
source "${BASH_SOURCE[0]%/*}/retry.sh"

venv=$repository/.venv

# Made again when the requirements change.
python_ready() {
  local requirements=$repository/Tests/EndToEnd/requirements.txt wanted
  wanted=$(sha256sum <"$requirements")
  [[ $(cat "$venv/requirements.sha256" 2>/dev/null) != "$wanted" ]] || return 0
  rm -rf -- "$venv"
  "$(packages_python)" -m venv "$venv"
  retry "$venv/bin/pip" install --quiet --disable-pip-version-check --timeout 60 --requirement "$requirements"
  echo "$wanted" >"$venv/requirements.sha256"
}
