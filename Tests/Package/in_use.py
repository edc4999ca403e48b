"""Runs a command while an installed service is in use, and says what its users saw: in_use.py FOLDER COMMAND…

FOLDER has an env file that says where the service and its database are, as a stack's folder does.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "EndToEnd"))

from support.continuity import in_use
from support.people import People
from support.stack import Stack


def main(folder: str, *command: str) -> int:
    stack = Stack(Path(folder))
    with in_use(stack, People(stack), 50, 4) as (devices, calls):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=1800)
        devices.await_closed(1)
        devices.await_connected()
        calls.go_on()
    print(
        f"        {len(devices.devices)} devices closed with {dict(devices.codes)}, {devices.events} events;"
        f" {calls.answered} requests, {len(calls.faults)} failed"
    )
    faults = calls.faults + devices.faults
    print("FAILED " if faults or set(devices.codes) != {1001} else "ok     ", "nobody noticed it")
    for fault in faults[:10]:
        print("         ", fault)
    return int(bool(faults) or set(devices.codes) != {1001} or done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
