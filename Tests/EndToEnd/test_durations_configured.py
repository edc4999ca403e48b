"""MAX_CALL_DURATION_SECONDS of an installation's own (contract §5; R14.4)."""

from __future__ import annotations

import pytest

from support import expect
from support.clock import shift_call
from support.variants import SETTINGS, variant

pytestmark = variant("configured")
criterion = pytest.mark.criterion
LONGEST = int(SETTINGS["configured"]["MAX_CALL_DURATION_SECONDS"])


@criterion("R14.4", "R5.1")
def test_the_configured_duration(people):
    """Not before it, and then by the system: max_duration."""
    caller, callee, call = people.connected()
    socket = callee.socket()
    shift_call(people.stack, call["callId"], LONGEST - 3)
    data = socket.take("call_ended", callId=call["callId"])["data"]
    assert (data["endedBy"], data["endReason"]) == (None, "max_duration")
    details = caller.details(call["callId"])
    accepted, ended = (expect.milliseconds(details[name]) for name in ("acceptedAt", "endTime"))
    # However late the sweeper is on a machine that stands still.
    assert LONGEST * 1000 <= ended - accepted < (LONGEST + 60) * 1000
