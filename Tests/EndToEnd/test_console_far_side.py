"""chattrix.js against a server that misbehaves: back-off, heartbeat, repetition, renewal, by a clock of the test's.

What an application copies, in a browser; only the far side of its sockets and the time are played.
"""

from __future__ import annotations

import pytest

from support.stack import ROOT

pytestmark = pytest.mark.xdist_group("console-pages")

FAR_SIDE = (ROOT / "Tests/EndToEnd/support/far-side.js").read_text()


@pytest.fixture
def far(console):
    """Runs JavaScript beside the far side, and moves its clock."""
    return FarSide(console.page, console)


class FarSide:
    def __init__(self, page, console):
        self.page = page
        page.clock.install(time=0)
        console.open("/console/icon.svg")
        # From now on it stands still but for wait().
        page.clock.pause_at(3_600_000)
        page.evaluate(f"async () => {{ {FAR_SIDE} }}")

    def run(self, body: str):
        """The body of an asynchronous function; waits until nothing is left to do but for the clock."""
        value = self.page.evaluate(f"async () => {{ {body} }}")
        self.page.evaluate("settle()")
        return value

    def wait(self, seconds: float) -> None:
        self.page.clock.run_for(round(seconds * 1000))
        self.page.evaluate("settle()")

    def online(self, options: str = "{}", greeting: str = "") -> None:
        self.run(f"start({options})")
        self.run(f"sockets.at(-1).greet({greeting})")
        assert self.state() == "online"

    def state(self) -> str:
        return self.run("return client.state")

    def delay(self) -> float:
        """Until the next attempt, in milliseconds."""
        state, delay, _ = self.run("return states.at(-1)")
        assert state == "waiting"
        return delay


def test_back_off_grows_with_jitter_up_to_half_a_minute(far):
    """Exponential from half a second, at random in its upper half; from the start again after a connection."""
    far.run("start()")
    delays = []
    for failure in range(9):
        far.run("sockets.at(-1).cut(1006)")
        delays.append(far.delay())
        whole = min(30_000, 500 * 2**failure)
        assert whole / 2 <= delays[-1] <= whole
        attempts = far.run("return sockets.length")
        far.wait(delays[-1] / 1000 + 0.01)
        assert far.run("return sockets.length") == attempts + 1
    exact = [min(30_000, 500 * 2**failure) for failure in range(9)]
    assert delays != exact, "there is no jitter"
    far.run("sockets.at(-1).greet()")
    assert far.state() == "online"
    far.run("sockets.at(-1).cut(1006)")
    assert far.delay() <= 500


@pytest.mark.parametrize("code", [1008, 1013])
def test_too_many_messages_or_too_slow_a_reader_waits_longer(far, code):
    far.online()
    far.run(f"sockets.at(-1).cut({code})")
    assert far.delay() >= 1000


def test_a_refused_ticket_says_when(far):
    """Retry-After of a 429 is honoured, and nothing else is asked for meanwhile."""
    far.run(
        """answers.push(refusal(429, "RATE_LIMIT_EXCEEDED", { "Retry-After": "7" })); start()"""
    )
    assert 6_900 <= far.delay() <= 7_000
    far.wait(6.5)
    assert far.run("return [asked.length, sockets.length]") == [1, 0]
    far.wait(1)
    assert far.run("return [asked.length, sockets.length]") == [2, 1]


def test_without_tickets_the_token_goes_as_a_subprotocol(far):
    """Contract 6.1: without Redis there are no tickets; a token never stands in an address."""
    far.run(
        """answers.push(refusal(503, "SERVICE_UNAVAILABLE", { "Retry-After": "1" })); start()"""
    )
    url, protocols = far.run("return [sockets[0].url.href, sockets[0].protocols]")
    assert protocols == ["chattrix.v1", "bearer.first"]
    assert "first" not in url


def test_an_event_is_handed_on_once(far):
    """Contract 6.2: delivery is at least once. A reconnect names the newest event and the device."""
    far.online(greeting='"4"')
    far.run(
        """for (const id of ["5", "6", "6", "5", "7"]) sockets[0].say("call_ringing", {}, id)"""
    )
    far.run("sockets[0].cut(1001)")
    far.wait(1)
    assert far.run("return Object.fromEntries(sockets[1].url.searchParams)") == {
        "deviceId": "device",
        "lastEventId": "7",
        "ticket": "ticket-2",
    }
    far.run("""sockets[1].greet("9");
      for (const id of ["7", "8", "9", "10"]) sockets[1].say("call_ended", {}, id)""")
    events = [frame for frame in far.run("return frames") if frame[0]]
    assert [int(id) for id, _, _ in events] == [5, 6, 7, 8, 9, 10]
    assert [replayed for _, _, replayed in events] == [False] * 3 + [True, True, False]
    assert far.run("return client.lastEventId") == "10"


def test_ids_are_compared_as_numbers(far):
    """Beyond what a double holds exactly, and not as text."""
    far.online('{ lastEventId: "9007199254740993" }', '"9007199254740993"')
    far.run("""sockets[0].say("call_ringing", {}, "9007199254740993");
      sockets[0].say("call_ringing", {}, "9007199254740994");
      sockets[0].say("call_ringing", {}, "10007199254740993")""")
    ids = [id for id, _, _ in far.run("return frames") if id]
    assert ids == ["9007199254740994", "10007199254740993"]


def test_what_is_no_json_is_passed_over(far):
    far.online()
    far.run("""sockets[0].onmessage({ data: "{" }); sockets[0].say("call_ringing", {}, "1")""")
    assert far.run("return frames.at(-1)") == ["1", "call_ringing", False]


def test_a_heartbeat_finds_a_dead_network(far):
    """Every 25 s, as `connected` says; without any frame for 10 s the connection is given up."""
    far.online()
    far.wait(24)
    assert far.run("return sockets[0].sent") == []
    far.wait(2)
    assert far.run("return sockets[0].sent") == [{"type": "heartbeat"}]
    far.run("""sockets[0].say("heartbeat.ack", { serverTime: "" })""")
    far.wait(20)
    assert far.state() == "online"
    far.wait(5)
    assert far.run("return sockets[0].sent.length") == 2
    far.wait(8)
    assert far.state() == "online"
    far.wait(1.1)
    assert far.state() in ("waiting", "connecting")
    assert far.run("return sockets[0].readyState") == 3


def test_a_connection_that_is_never_greeted_is_given_up(far):
    far.run("start()")
    far.wait(9)
    assert far.state() == "connecting"
    far.wait(1.1)
    assert far.state() == "waiting"


@pytest.mark.parametrize("event", ["online", "visibilitychange"])
def test_a_network_that_is_back_is_used_at_once(far, event):
    far.run("start()")
    far.run("sockets[0].cut(1006)")
    target = "globalThis" if event == "online" else "document"
    far.run(f'{target}.dispatchEvent(new Event("{event}"))')
    assert far.run("return sockets.length") == 2


def test_disconnected_means_disconnected(far):
    """No attempt, no timer, no listener is left."""
    far.online()
    far.run("client.disconnect()")
    far.run('globalThis.dispatchEvent(new Event("online"))')
    far.wait(120)
    assert far.state() == "offline"
    assert far.run("return [sockets.length, sockets[0].sent.length, sockets[0].readyState]") == [
        1,
        0,
        3,
    ]


RENEWED = (
    '{ getToken: (reason) => (reasons.push(reason), reason === "start" ? "first" : "second") }'
)


def test_a_login_is_renewed_on_the_open_socket(far):
    """Contract 10."""
    far.online(RENEWED, '"0", { authenticatedUntil: "2026-01-01T00:00:00.000Z" }')
    far.run("""client.on("authenticated", ({ authenticatedUntil }) => globalThis.until = authenticatedUntil);
      sockets[0].say("auth_expiring", { authenticatedUntil: "2026-01-01T00:00:00.000Z" })""")
    (sent,) = far.run("return sockets[0].sent")
    assert (sent["type"], sent["data"]) == ("auth", {"token": "second"})
    far.run(f"""sockets[0].say("command_result", {{ requestId: "{sent["requestId"]}", status: 200,
      body: {{ success: true, data: {{ authenticatedUntil: "2026-01-02T00:00:00.000Z" }} }} }})""")
    assert far.run("return until") == "2026-01-02T00:00:00.000Z"
    assert far.run("return [reasons, sockets.length]") == [["start", "expiring"], 1]


def test_a_socket_closed_for_its_login_is_opened_with_another(far):
    """Contract 10: 4401 is no failure of the network, so nothing waits."""
    far.online(RENEWED)
    far.run("sockets[0].cut(4401)")
    assert far.run("return [reasons, sockets.length]") == [["start", "expired"], 2]
    assert far.run("return asked.at(-1).headers.Authorization") == "Bearer second"


def test_a_login_that_cannot_be_asked_for_now_is_asked_for_later(far):
    """The application's own server is away for a moment: that does not sign the user out."""
    far.online(
        """{ getToken: async (reason) => {
          reasons.push(reason);
          if (reason === "expired") throw new TypeError("Failed to fetch");
          return reason === "start" ? "first" : "second";
        } }"""
    )
    far.run("sockets[0].cut(4401)")
    assert far.state() == "waiting"
    far.run("""answers.push(refusal(401, "AUTHENTICATION_FAILED"))""")
    far.wait(1)
    assert far.run("return [reasons, sockets.length]") == [["start", "expired", "rejected"], 2]


def test_signed_out_until_there_is_a_token(far):
    far.online()
    far.run("sockets[0].cut(4401)")
    assert far.run("return states.at(-1)") == ["signed-out", None, 4401]
    far.wait(300)
    assert far.run("return sockets.length") == 1
    far.run('await client.useToken("third")')
    assert far.run("return [sockets.length, asked.at(-1).headers.Authorization]") == [
        2,
        "Bearer third",
    ]


def test_a_command_without_a_result_is_given_up(far):
    far.online()
    far.run('watch(client.command("call.end", { callId: "c" }))')
    far.wait(10.1)
    assert far.run("return outcomes[0]")["code"] == "NETWORK"


# Requests.


def test_a_busy_server_is_asked_again_when_it_says(far):
    """503 with Retry-After: what may be repeated is, twice; what may not is not."""
    far.run("""globalThis.client = new Chattrix({ getToken: () => "first" });
      answers.push(refusal(503, "SERVICE_UNAVAILABLE", { "Retry-After": "2" }),
        refusal(503, "SERVICE_UNAVAILABLE", { "Retry-After": "2" }));
      watch(client.initiate("bob", "audio"))""")
    far.wait(1.9)
    assert far.run("return asked.length") == 1
    far.wait(0.2)
    assert far.run("return asked.length") == 2
    far.wait(2.1)
    assert far.run("return asked.length") == 3
    keys = far.run("return asked.map(({ headers }) => headers['Idempotency-Key'])")
    assert len(set(keys)) == 1
    far.run("""answers.push(refusal(503, "SERVICE_UNAVAILABLE", { "Retry-After": "1" }));
      watch(client.reportQuality("c", { networkQuality: "good" }))""")
    far.wait(5)
    assert far.run("return [asked.length, outcomes[1].code, outcomes[1].retryAfter]") == [
        4,
        "SERVICE_UNAVAILABLE",
        1,
    ]


def test_a_long_wait_is_the_applications(far):
    """It can show how long it is; a promise that hangs cannot."""
    far.run("""globalThis.client = new Chattrix({ getToken: () => "first" });
      answers.push(refusal(503, "SERVICE_UNAVAILABLE", { "Retry-After": "30" }));
      watch(client.activeCall())""")
    assert far.run("return outcomes[0]") == {
        "isOurs": True,
        "code": "SERVICE_UNAVAILABLE",
        "status": 503,
        "retryAfter": 30,
    }


@pytest.mark.parametrize("failure", ["lost", "cut", "hang"])
def test_an_answer_that_does_not_arrive(far, failure):
    """No connection, one that breaks within the answer, or none for 15 s: sent again, three times in all."""
    far.run(f"""globalThis.client = new Chattrix({{ getToken: () => "first" }});
      answers.push("{failure}", "{failure}");
      watch(client.activeCall())""")
    for _ in range(4):
        far.wait(20)
    assert far.run("return [asked.length, outcomes[0].value.ticket]") == [3, "ticket-3"]
    far.run(f"""answers.push("{failure}", "{failure}", "{failure}"); watch(client.activeCall())""")
    for _ in range(4):
        far.wait(20)
    assert far.run("return outcomes[1]") == {
        "isOurs": True,
        "code": "NETWORK",
        "status": 0,
        "retryAfter": None,
    }


def test_an_answer_of_another_server(far):
    far.run("""globalThis.client = new Chattrix({ getToken: () => "first" });
      answers.push(answer(502, "<h1>Bad Gateway</h1>"));
      watch(client.markSeen())""")
    error = far.run("return outcomes[0]")
    assert (error["code"], error["status"]) == ("UNREADABLE", 502)
