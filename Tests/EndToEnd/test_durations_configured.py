"""MAX_CALL_DURATION_SECONDS of an installation's own (contract §5; R14.4)."""

from __future__ import annotations

import pytest

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
    assert socket.listen(1) == []
    data = socket.take("call_ended", timeout=6, callId=call["callId"])["data"]
    assert (data["endedBy"], data["endReason"]) == (None, "max_duration")
    # Counted from `connected`, which came a moment after the accept that set the deadline.
    assert LONGEST - 1 <= data["durationSeconds"] <= LONGEST + 2
