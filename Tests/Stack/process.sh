# shellcheck shell=bash
# Processes that outlive the command that started them: detached, found again by id, stopped by id.

# Starts a command in a session of its own, with nothing of the caller's open: a test that reads
# `make up` through a pipe sees its end. The id is left in PROCESS_PID.
process_start() { # LOG COMMAND…
  local log=$1
  shift
  (
    exec </dev/null >>"$log" 2>&1
    for descriptor in /proc/self/fd/*; do
      descriptor=${descriptor##*/}
      ((descriptor <= 2 || descriptor == 255)) || eval "exec $descriptor>&-"
    done
    exec setsid -- "$@"
  ) &
  PROCESS_PID=$!
}

# Whether a process runs; one that has ended and waits to be collected does not.
process_alive() { # PID
  local stat
  [[ ${1-} =~ ^[1-9][0-9]*$ ]] || return 1
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  stat=${stat##*) }
  [[ ${stat:0:1} != [ZX] ]]
}

# Whether a process belongs to this stack: ids are used again, and another stack may stand beside.
process_ours() { # PID
  process_alive "${1-}" || return 1
  { tr '\0' '\n' <"/proc/$1/environ" | grep -qxF -- "STACK_DIR=$STACK_DIR"; } 2>/dev/null ||
    grep -qaF -- "$STACK_DIR/" "/proc/$1/cmdline" 2>/dev/null
}

# Asks a process to end, waits, and ends it when it does not. An empty id is a process not there.
process_stop() { # NAME PID SECONDS
  local name=$1 pid=$2 deadline=$((SECONDS + $3))
  process_alive "$pid" || return 0
  kill -TERM "$pid" 2>/dev/null || :
  kill -CONT "$pid" 2>/dev/null || : # one that a test has halted hears nothing
  while process_alive "$pid"; do
    if ((SECONDS >= deadline)); then
      say "$name did not end within $3 s; killing it"
      kill -KILL "$pid" 2>/dev/null || :
      deadline=$((SECONDS + 5))
    fi
    sleep 0.05
  done
}

# The id in $PID_DIR/NAME.pid, or nothing.
process_recorded() { # NAME
  local pid=
  [[ ! -r $PID_DIR/$1.pid ]] || read -r pid <"$PID_DIR/$1.pid" || :
  printf '%s' "$pid"
}

# The same, where it is the id of a living process of this stack.
process_of() { # NAME
  local pid
  pid=$(process_recorded "$1")
  ! process_ours "$pid" || printf '%s' "$pid"
}

# Waits until a command succeeds, as long as the process behind it lives; else shows its log's end. The command has
# a last chance behind the deadline, over which this machine may have stood still.
process_await() { # NAME PID SECONDS LOG COMMAND…
  local name=$1 pid=$2 deadline=$((SECONDS + $3)) log=$4 fault= is_last=
  shift 4
  until "$@"; do
    process_alive "$pid" || fault="ended as soon as it was started"
    [[ -z $is_last ]] || fault="does not answer"
    ((SECONDS < deadline)) || is_last=1
    [[ -z $fault ]] || {
      say "$name $fault. The end of $log:"
      tail -n 20 -- "$log" >&2 || :
      return 1
    }
    sleep 0.05
  done
}

# Whether somebody listens on a port of this host.
port_taken() { # PORT
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

port_free() { # PORT WHAT
  ! port_taken "$1" || {
    say "Port $1, which the stack's $2 needs, is taken: STACK_PORT=… chooses others"
    return 1
  }
}
