"""The console while its server is restarted, part by part, in the midst of a call; and how a stack greets."""

from __future__ import annotations

import re
import signal
import subprocess

import pytest
from playwright.sync_api import expect

from support.clock import shift_call
from support.outages import healthy, kill
from support.stack import alive, wait_until
from support.variants import variant

pytestmark = [*variant("fragile"), pytest.mark.usefixtures("whole_stack"), pytest.mark.timeout(180)]


def stop_nginx(stack) -> None:
    """As on a host whose nginx is restarted: every connection breaks."""
    pid = stack.kill("NGINX", signal.SIGTERM)
    wait_until(lambda: not alive(pid), 60)  # Apache gives its children ten
    done = subprocess.run([stack.directory / "bin/start-nginx"], capture_output=True, timeout=180)
    assert done.returncode == 0, done.stderr


RESTARTS = {
    "signaling": lambda stack: stack.kill("SIGNALING", signal.SIGTERM),
    "workers": lambda stack: [kill(pid) for pid in stack.workers()],
    "nginx": stop_nginx,
}


@pytest.mark.parametrize("part", RESTARTS)
def test_a_restart_during_a_call(console, pair, stack, part):
    """The phones come back by themselves, the call goes on, and its end is told."""
    one, two = console.phones(*pair)
    one.press("audio")
    # This stack's calls ring for a few seconds, in which a page on a busy machine may not get to answer.
    call = wait_until(pair[0].active, 45, message="a call")
    shift_call(stack, call["callId"], -3600)
    two.press("accept")
    for phone in (one, two):
        phone.is_in_phase("connected")
    RESTARTS[part](stack)
    if part != "workers":
        for phone in (one, two):
            expect(phone.logged("Connection lost").first).to_be_visible()
    for phone in (one, two):
        phone.is_in_state("online")
        phone.is_in_phase("connected")
    wait_until(lambda: healthy(stack), 60, 0.1, "a whole stack")
    assert pair[0].active()["status"] == "connected"
    two.press("end")
    for phone in (one, two):
        phone.says(re.compile("has ended after"))


def test_a_stack_says_where_the_console_is(stack):
    """The first address that `make run` and `make up` print."""
    log = (stack.directory.parent / f"{stack.directory.name}-make-up.log").read_text()
    addresses = re.findall(r"https://\S+", log)
    assert addresses[0] == stack["OPS_URL"].rstrip("/") + "/console/"
