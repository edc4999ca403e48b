"""GET and DELETE /calls/history (contract §4, §7.2; R6)."""

from __future__ import annotations

import itertools
import random

import pytest

from support import expect
from support.clock import shift_call

criterion = pytest.mark.criterion

ENTRY = {
    "id",
    "callId",
    "remoteUserId",
    "remoteUserName",
    "remoteUserAvatar",
    "callType",
    "status",
    "direction",
    "endReason",
    "timestamp",
    "durationSeconds",
}
PAGINATION = {
    "page",
    "limit",
    "total",
    "totalPages",
    "hasNextPage",
    "hasPrevPage",
    "nextCursor",
}


def calls_to(people, person, count: int, kinds=("audio", "video")) -> list[str]:
    """Cancelled calls to one user, oldest first, two a friend (a limit binds the caller only)."""
    made = []
    while len(made) < count:
        friend = people.friend_of(person)
        for _ in range(min(4, count - len(made))):
            call = friend.call(person, kinds[len(made) % len(kinds)])
            friend.end(call["callId"])
            made.append(call["callId"])
    return made


@criterion("R6.1", "R5.4")
def test_entry(people):
    """What an entry says, from both sides of a call."""
    caller, callee, call = people.connected("audio")
    shift_call(people.stack, call["callId"], 42)
    ended = caller.end(call["callId"])
    for person, other, direction in ((caller, callee, "outgoing"), (callee, caller, "incoming")):
        page = person.history()
        assert set(page) == {"calls", "pagination"}
        (entry,) = page["calls"]
        assert set(entry) == ENTRY
        assert isinstance(entry["id"], str)
        assert entry["callId"] == call["callId"]
        assert entry["remoteUserId"] == other.id
        assert entry["remoteUserName"] == other.full_name
        assert entry["remoteUserAvatar"] == other.avatar
        assert entry["direction"] == direction
        assert (entry["callType"], entry["status"], entry["endReason"]) == (
            "audio",
            "completed",
            "hangup",
        )
        assert entry["timestamp"] == caller.details(call["callId"])["createdAt"]
        assert entry["durationSeconds"] == ended["durationSeconds"] >= 42


@criterion("R6.1")
def test_empty_history(people):
    page = people.person().history()
    assert page["calls"] == []
    pagination = page["pagination"]
    assert set(pagination) == PAGINATION
    assert (pagination["page"], pagination["limit"], pagination["total"]) == (1, 20, 0)
    assert (pagination["hasNextPage"], pagination["hasPrevPage"]) == (False, False)
    assert pagination["totalPages"] == 0 and pagination["nextCursor"] is None


@criterion("R6.1")
def test_a_live_call_is_no_history_yet(people):
    caller, callee, call = people.connected()
    assert caller.history()["calls"] == [] == callee.history()["calls"]
    caller.end(call["callId"])
    assert len(caller.history()["calls"]) == 1


ENDS = {
    # how a call may end → end reason, the caller's and the callee's status (§7.2)
    "cancelled": (lambda a, b, c: a.end(c), "cancelled", "missed", "missed"),
    "declined": (lambda a, b, c: b.reject(c), "declined", "rejected", "rejected"),
    "unavailable": (
        lambda a, b, c: b.reject(c, reason="unavailable"),
        "unavailable",
        "rejected",
        "rejected",
    ),
    "busy": (lambda a, b, c: b.reject(c, reason="busy"), "busy", "rejected", "missed"),
    "ended by the callee unanswered": (
        lambda a, b, c: b.end(c),
        "declined",
        "rejected",
        "rejected",
    ),
    "accepted": (lambda a, b, c: (b.accept(c), a.end(c)), "hangup", "completed", "completed"),
}


@criterion("R6.4", "R5.4")
@pytest.mark.parametrize("name", ENDS)
def test_statuses_of_entries(people, name):
    """§7.2: what each end is called, for the caller and for the callee."""
    finish, reason, callers, callees = ENDS[name]
    caller, callee, call = people.ringing()
    finish(caller, callee, call["callId"])
    for person, status in ((caller, callers), (callee, callees)):
        (entry,) = person.history()["calls"]
        assert (entry["endReason"], entry["status"]) == (reason, status)
        assert person.history(status=status)["pagination"]["total"] == 1
        others = {"completed", "missed", "rejected", "failed"} - {status}
        for other in others:
            assert person.history(status=other)["calls"] == []


@criterion("R6.2", "R6.5")
def test_pages(people):
    """R6.2, R6.5: pages of a chosen size, newest first, that together are everything."""
    person = people.person()
    made = calls_to(people, person, 25)
    newest_first = made[::-1]
    default = person.history()
    assert [entry["callId"] for entry in default["calls"]] == newest_first[:20]
    assert default["pagination"]["limit"] == 20
    for number in (1, 2, 3, 4):
        page = person.history(page=number, limit=10)
        first = (number - 1) * 10
        ids = [entry["callId"] for entry in page["calls"]]
        assert ids == newest_first[first : first + 10]
        stamps = [expect.milliseconds(entry["timestamp"]) for entry in page["calls"]]
        assert stamps == sorted(stamps, reverse=True)
        pagination = page["pagination"]
        assert set(pagination) == PAGINATION
        assert (pagination["page"], pagination["limit"]) == (number, 10)
        assert (pagination["total"], pagination["totalPages"]) == (25, 3)
        assert pagination["hasNextPage"] is (number < 3)
        assert pagination["hasPrevPage"] is (number > 1)
    exact = person.history(page=5, limit=5)["pagination"]
    assert exact["hasNextPage"] is False and exact["totalPages"] == 5


@criterion("R6.2")
def test_page_sizes(people):
    """R6.2: a limit over 100 is served as 100."""
    person = people.person()
    made = calls_to(people, person, 103)
    for limit in (100, 101, 1000, 10**9):
        page = person.history(limit=limit)
        assert page["pagination"]["limit"] == 100
        assert [entry["callId"] for entry in page["calls"]] == made[:-101:-1]
        assert page["pagination"]["total"] == 103
    rest = person.history(limit=100, page=2)
    assert [entry["callId"] for entry in rest["calls"]] == made[:3][::-1]
    assert len(person.history(limit=1)["calls"]) == 1
    walk = list(cursor_walk(person, 40))
    assert [entry["callId"] for entry in walk] == made[::-1]


def cursor_walk(person, limit, **query):
    """All entries, page by page along `nextCursor`."""
    page = person.history(limit=limit, **query)
    while True:
        assert len(page["calls"]) <= limit
        yield from page["calls"]
        cursor = page["pagination"]["nextCursor"]
        if cursor is None:
            return
        assert isinstance(cursor, str) and cursor
        page = person.history(limit=limit, cursor=cursor, **query)


@criterion("R6.2")
def test_cursor(people):
    """`cursor=` walks everything once, and new calls do not shift what is still to come."""
    person = people.person()
    made = calls_to(people, person, 9)
    first = person.history(limit=4)
    (newer,) = calls_to(people, person, 1)
    cursor = first["pagination"]["nextCursor"]
    second = person.history(limit=4, cursor=cursor)
    ids = [entry["callId"] for entry in first["calls"] + second["calls"]]
    assert ids == made[:0:-1]
    last = person.history(limit=4, cursor=second["pagination"]["nextCursor"])
    assert [entry["callId"] for entry in last["calls"]] == [made[0]]
    assert last["pagination"]["nextCursor"] is None
    assert last["pagination"]["hasNextPage"] is False
    assert [entry["callId"] for entry in cursor_walk(person, 3)] == [newer, *made[::-1]]


def test_cursor_wins_over_page(people):
    """§7.2."""
    person = people.person()
    calls_to(people, person, 6)
    first = person.history(limit=2)
    cursor = first["pagination"]["nextCursor"]
    plain = person.history(limit=2, cursor=cursor)["calls"]
    assert person.history(limit=2, cursor=cursor, page=3)["calls"] == plain
    assert person.history(limit=2, page=2)["calls"] == plain


@criterion("R9.4")
def test_another_users_cursor_shows_ones_own(people):
    """A cursor is a place in time, no key to somebody's entries."""
    one, two = people.person(), people.person()
    calls_to(people, two, 2)
    calls_to(people, one, 4)
    cursor = one.history(limit=2)["pagination"]["nextCursor"]
    response = two.get("/calls/history", params={"cursor": cursor})
    if response.status_code == 200:
        seen = {entry["callId"] for entry in expect.succeeded(response)["calls"]}
        assert seen <= {entry["callId"] for entry in two.history()["calls"]}
    else:
        expect.refused(response, 400, "VALIDATION_ERROR")


def test_equal_timestamps(people):
    """Entries of the same moment are neither left out nor shown twice, by page or cursor."""
    person = people.person()
    made = calls_to(people, person, 7)
    people.stack.sql(
        "UPDATE call_history SET `timestamp` = '2026-01-02 03:04:05.678' WHERE user_id = %s",
        person.id,
    )
    pages = [person.history(limit=2, page=number)["calls"] for number in (1, 2, 3, 4)]
    ids = [entry["callId"] for page in pages for entry in page]
    assert sorted(ids) == sorted(made)
    assert [entry["callId"] for entry in cursor_walk(person, 2)] == ids


def test_bad_cursors(people):
    person = people.person()
    calls_to(people, person, 1)
    for cursor in ("x", "AAAA", "-1", "..", "é", "0" * 300):
        response = person.get("/calls/history", params={"cursor": cursor})
        expect.refused(response, 400, "VALIDATION_ERROR")


@criterion("R12.3", "R6.2")
@pytest.mark.parametrize(
    "query, faults",
    [
        ({"page": "0"}, {"page": "INVALID_PAGE"}),
        ({"page": "-1"}, {"page": "INVALID_PAGE"}),
        ({"page": "x"}, {"page": "INVALID_PAGE"}),
        ({"page": "1.5"}, {"page": "INVALID_PAGE"}),
        ({"limit": "0"}, {"limit": None}),
        ({"limit": "-5"}, {"limit": None}),
        ({"limit": "ten"}, {"limit": None}),
        ({"callType": "fax"}, {"callType": "INVALID_CALL_TYPE"}),
        ({"status": "ended"}, {"status": "INVALID_STATUS"}),
        ({"status": "x", "callType": "y"}, {"status": None, "callType": None}),
    ],
    ids=str,
)
def test_validation(people, query, faults):
    response = people.person().get("/calls/history", params=query)
    expect.invalid(response, **faults)


@criterion("R6.2")
@pytest.mark.parametrize("number", [10**12 + 1, 2**63, 10**29, 10**40], ids=str)
def test_pages_that_nobody_can_have(people, number):
    """Refused, and not served as some other page."""
    person = people.person()
    for filters in ({}, {"status": "missed"}):
        response = person.get("/calls/history", params={"page": number} | filters)
        expect.invalid(response, page="INVALID_PAGE")


@criterion("R6.2")
@pytest.mark.parametrize("number", [1_000_000, 2**31, 10**12], ids=str)
def test_far_pages_are_empty(people, number):
    person = people.person()
    calls_to(people, person, 1)
    for filters in ({}, {"status": "missed"}):
        page = person.history(page=number, limit=100, **filters)
        assert page["calls"] == [] and page["pagination"]["hasNextPage"] is False
        assert page["pagination"]["page"] == number
        assert page["pagination"]["total"] == 1


@criterion("R6.3", "R6.4", "R6.5")
def test_filters_against_a_straight_count(people):
    """R6.3, R6.4: every filter gives exactly what filtering the whole list here gives."""
    chance = random.Random(42)
    person = people.person()
    for _ in range(24):
        friend = people.friend_of(person)
        kind = chance.choice(["audio", "video"])
        finish = chance.choice(list(ENDS.values()))[0]
        if chance.random() < 0.5:
            call, caller, callee = friend.call(person, kind), friend, person
        else:
            # A caller may make five calls a minute: the other way round is for a few.
            response = person.initiate(friend, kind)
            if response.status_code == 429:
                call, caller, callee = friend.call(person, kind), friend, person
            else:
                call, caller, callee = expect.succeeded(response, 201), person, friend
        finish(caller, callee, call["callId"])
    everything = person.history(limit=100)["calls"]
    assert len(everything) == 24
    kinds, statuses = ("audio", "video", "all"), ("completed", "missed", "rejected", "all")
    for kind, status in itertools.product(kinds, statuses):
        expected = [
            entry
            for entry in everything
            if kind in ("all", entry["callType"]) and status in ("all", entry["status"])
        ]
        page = person.history(limit=100, callType=kind, status=status)
        assert page["calls"] == expected, (kind, status)
        assert page["pagination"]["total"] == len(expected)
    expected = [entry for entry in everything if entry["callType"] == "audio"]
    assert list(cursor_walk(person, 5, callType="audio")) == expected


def test_delete(people):
    """Only the user's own entry goes; the other's stays, the call itself too."""
    caller, callee, call = people.ended()
    expect.succeeded(caller.delete(f"/calls/history/{call['callId']}"))
    page = caller.history()
    assert page["calls"] == [] and page["pagination"]["total"] == 0
    assert callee.history()["pagination"]["total"] == 1
    again = caller.delete(f"/calls/history/{call['callId']}")
    expect.refused(again, 404, "RESOURCE_NOT_FOUND")
    assert caller.details(call["callId"])["status"] == "ended"


@criterion("R12.2")
def test_delete_of_what_is_not_there(people):
    """404: a live call, an unknown one, somebody else's."""
    caller, callee, call = people.connected()
    for person in (caller, people.person()):
        response = person.delete(f"/calls/history/{call['callId']}")
        expect.refused(response, 404, "RESOURCE_NOT_FOUND")
    expect.refused(caller.delete("/calls/history/unknown"), 404, "RESOURCE_NOT_FOUND")
    callee.end(call["callId"])
    assert caller.history()["pagination"]["total"] == 1


def test_delete_in_the_midst_of_a_walk(people):
    """Totals follow, and a cursor made before still leads to what remains."""
    person = people.person()
    made = calls_to(people, person, 6)
    cursor = person.history(limit=2)["pagination"]["nextCursor"]
    expect.succeeded(person.delete(f"/calls/history/{made[4]}"))
    expect.succeeded(person.delete(f"/calls/history/{made[2]}"))
    page = person.history(limit=4, cursor=cursor)
    assert [entry["callId"] for entry in page["calls"]] == [made[3], made[1], made[0]]
    assert person.history()["pagination"]["total"] == 4
