"""chattrix.js in a browser: what an application copies (errors, repetition, order, once each)."""

from __future__ import annotations

import pytest

from support.browser import Door

pytestmark = pytest.mark.xdist_group("console-pages")
criterion = pytest.mark.criterion

# A client of the page's own origin, and a wait for one of its events.
PRELUDE = """
const { Chattrix, ChattrixError } = await import("/console/chattrix.js");
const make = (token, options = {}) => new Chattrix({ getToken: () => token, ...options });
const next = (client, type, wanted = () => true) => new Promise((resolve) => {
  const stop = client.on(type, (detail) => wanted(detail) && (stop(), resolve(detail)));
});
const failure = (promise) => promise.then(() => null, (error) => ({
  isOurs: error instanceof ChattrixError, code: error.code, status: error.status,
  details: error.details, retryAfter: error.retryAfter, requestId: error.requestId,
}));
"""


@pytest.fixture
def run(console):
    """Runs the body of an asynchronous function on the page; its arguments are `given`."""

    def run(body: str, *given, origin: str | None = None):
        if console.page.url == "about:blank":
            console.open("/console/icon.svg", origin)
        return console.page.evaluate(f"async (given) => {{ {PRELUDE} {body} }}", list(given))

    return run


@criterion("R12.1", "R12.3", "R12.5")
def test_errors_have_their_facts(run, people):
    one, two = people.person(), people.person()
    error = run("return failure(make(given[0]).initiate(given[1], 'audio'))", one.token, two.id)
    assert (error["isOurs"], error["status"], error["code"]) == (True, 403, "NOT_CONTACTS")
    assert len(error["requestId"]) == 32
    error = run("return failure(make(given[0]).initiate(given[1], 'fax'))", one.token, two.id)
    assert (error["status"], error["code"]) == (400, "VALIDATION_ERROR")
    assert [detail["field"] for detail in error["details"]] == ["callType"]
    error = run("return failure(make('no token').activeCall())")
    assert (error["status"], error["code"]) == (401, "AUTHENTICATION_FAILED")


@criterion("R10.4", "R10.5")
def test_a_rate_limit_says_when(run, people):
    person = people.person()
    body = """
    const client = make(given[0]);
    for (let number = 0; number < 400; number++) {
      const error = await failure(client.history());
      if (error) return error;
    }"""
    error = run(body, person.token)
    assert (error["status"], error["code"]) == (429, "RATE_LIMIT_EXCEEDED")
    assert 1 <= error["retryAfter"] <= 60


def test_a_token_is_asked_for_once(run, people):
    """Refused with 401: one other token serves all requests that were under way."""
    person = people.person()
    body = """
    const reasons = [];
    const client = new Chattrix({
      getToken: async (reason) => (reasons.push(reason), reason === "start" ? given[0] + "x" : given[0]),
    });
    const answers = await Promise.all([client.activeCall(), client.history(), client.statistics("day")]);
    return { reasons, calls: answers[1].calls.length };"""
    assert run(body, person.token) == {"reasons": ["start", "rejected"], "calls": 0}


def test_an_answer_that_gets_lost(run, pair, stack):
    """Initiate is repeated under its key: one call, however often the connection breaks."""
    door = Door(stack)
    body = """
    const client = make(given[0]);
    const send = fetch;
    let lost = 0;
    globalThis.fetch = async (...request) => {
      const response = await send(...request);
      if (lost++ < 2) throw new TypeError("the answer got lost");
      return response;
    };
    return (await client.initiate(given[1], "audio")).callId;"""
    call_id = run(body, pair[0].token, pair[1].id, origin=door.origin)
    door.close()
    assert pair[0].active()["callId"] == call_id
    assert len(pair[0].history()["calls"]) == 0


@criterion("R11.1")
def test_events_come_once_and_in_order(run, pair, stack):
    """Contract 6.4: what happened while the connection was away is replayed from the newest event on."""
    caller, callee = pair
    door = Door(stack)
    start = """
    globalThis.seen = [];
    globalThis.client = make(given[0]);
    client.on("frame", ({ id, type, replayed }) => id && seen.push([id, type, replayed]));
    client.connect();
    await next(client, "connected");"""
    run(start, callee.token, origin=door.origin)
    first = caller.call(callee)
    run("if (!seen.length) await next(client, 'call_invitation');")
    door.shut()
    run(
        "if (client.state !== 'waiting') await next(client, 'state', ({ state }) => state === 'waiting');"
    )
    caller.end(first["callId"])
    second = caller.call(callee, "audio")
    door.open()
    run(
        """client.hurry();
        const done = () => seen.filter(([, type]) => type === "call_invitation").length === 2;
        if (!done()) await next(client, "call_invitation", done);"""
    )
    callee.reject(second["callId"])
    seen = run("return seen")
    door.close()
    kinds = [type for _, type, _ in seen]
    assert kinds[:3] == ["call_invitation", "call_ended", "call_invitation"]
    assert [int(id) for id, _, _ in seen] == sorted({int(id) for id, _, _ in seen})
    assert [replayed for _, _, replayed in seen[:3]] == [False, True, True]


def test_a_second_client_goes_on_where_the_first_was(run, pair):
    """`lastEventId` outlives the page; without one, a call that rings is invited again."""
    caller, callee = pair
    call = caller.call(callee)
    body = """
    const client = make(given[0], { lastEventId: given[1] });
    const invited = next(client, "call_invitation");
    client.connect();
    const { data } = await invited;
    const kept = client.lastEventId;
    client.disconnect();
    return [data.callId, kept];"""
    call_id, kept = run(body, callee.token, None)
    assert call_id == call["callId"]
    caller.end(call["callId"])
    body = """
    const client = make(given[0], { lastEventId: given[1] });
    const ended = next(client, "call_ended");
    let invitations = 0;
    client.on("call_invitation", () => invitations++);
    client.connect();
    const { replayed, data } = await ended;
    client.disconnect();
    return [replayed, data.endReason, invitations];"""
    assert run(body, callee.token, kept) == [True, "cancelled", 0]


@criterion("R2.2")
def test_commands_over_the_socket(run, pair):
    """Contract 6.3: the same answers and errors as REST gives."""
    caller, callee = pair
    call = caller.call(callee)
    body = """
    const client = make(given[0]);
    const away = await failure(client.command("call.accept", { callId: given[1] }));
    client.connect();
    await next(client, "connected");
    const accepted = await client.command("call.accept", { callId: given[1] });
    const refused = await failure(client.command("call.reject", { callId: given[1] }));
    client.disconnect();
    return [away.code, accepted.status, refused.code, refused.status];"""
    wanted = ["NETWORK", "connecting", "CALL_ALREADY_ACCEPTED", 409]
    assert run(body, callee.token, call["callId"]) == wanted


def test_states(run, people, stack):
    """Waiting has a time; a login that is refused is no reason to try again."""
    person = people.person()
    door = Door(stack)
    body = """
    globalThis.states = [];
    globalThis.client = make(given[0]);
    client.on("state", ({ state, retryAt }) => states.push([state, retryAt > Date.now()]));
    client.connect();
    await next(client, "connected");"""
    run(body, person.token, origin=door.origin)
    door.shut()
    run(
        "if (client.state !== 'waiting') await next(client, 'state', ({ state }) => state === 'waiting');"
    )
    states = run("client.disconnect(); return states")
    assert states[:3] == [["connecting", False], ["online", False], ["waiting", True]]
    assert states[-1] == ["offline", False]
    door.open()
    body = """
    const client = make("no token");
    const end = next(client, "state", ({ state }) => state !== "connecting");
    client.connect();
    return (await end).state;"""
    assert run(body) == "signed-out"
    door.close()
