"""Fixtures of the end-to-end suite: the stack that a test runs against, and fresh users."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from playwright.sync_api import sync_playwright

from criteria import Criteria
from support import invariants, sockets
from support.browser import ENDED_BY_NETWORK, Console, launch
from support.galera import Cluster
from support.hosts import Hosts, at
from support.outages import healthy
from support.people import People
from support.receiver import Receiver
from support.sidecars import sidecar
from support.stack import (
    ROOT,
    SERVER,
    Stack,
    alive,
    build,
    make,
    read_environment,
    wait_until,
)
from support.variants import Variant, free_port

BROUGHT_UP = pytest.StashKey[Path]()
VARIANTS = pytest.StashKey[dict[str, Variant | None]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rounds", type=int, default=5, help="of each race between nodes of a cluster"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Criteria(config), "criteria")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is about nginx itself says why, and is skipped behind another server."""
    for item in items:
        mark = item.get_closest_marker("nginx")
        if mark is not None and SERVER != "nginx":
            (reason,) = mark.args
            item.add_marker(pytest.mark.skip(reason=f"{SERVER}: {reason}"))


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """A test that failed when the browser had ended what it was loading, because the machine's network had changed, is
    run once more; there is nothing in it that another test of this machine may not do."""
    if "browser" not in getattr(item, "fixturenames", ()):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    ENDED_BY_NETWORK.clear()
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    if ENDED_BY_NETWORK and any(report.failed for report in reports):
        item._initrequest()
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def base_directory() -> Path:
    return (ROOT / os.environ.get("STACK_DIR", ".stack")).resolve()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Brings up the default stack where none is running; the workers inherit its place."""
    if hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return
    build()
    directory = base_directory()
    os.environ["STACK_DIR"] = str(directory)
    values = read_environment(directory / "env")
    if "API_URL" in os.environ or alive(int(values.get("SUPERVISOR_PID") or 0)):
        return
    ports = {"STACK_PORT": os.environ["STACK_PORT"]} if "STACK_PORT" in os.environ else {}
    make("up", directory, ports)
    session.config.stash[BROUGHT_UP] = directory


def pytest_sessionfinish(session: pytest.Session) -> None:
    directory = session.config.stash.get(BROUGHT_UP, None)
    if directory is not None:
        make("down", directory, {})


def variant_of(item: pytest.Item | None) -> str | None:
    mark = item and item.get_closest_marker("variant")
    return mark.args[0] if mark else None


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """A worker has the tests of a variant one after the other: behind the last one its stack would only keep the
    machine busy."""
    name = variant_of(item)
    if hasattr(item.config, "workerinput") and name not in (None, variant_of(nextitem)):
        running = item.config.stash.get(VARIANTS, {}).pop(name, None)
        if running is not None:
            running.down()


@pytest.fixture(scope="session")
def variants(request):
    """The stacks of their own that this worker has up, by name."""
    running: dict[str, Variant | None] = request.config.stash.setdefault(VARIANTS, {})
    yield running
    for variant in filter(None, running.values()):
        variant.down()


@pytest.fixture(scope="session")
def base_stack() -> Stack:
    return Stack(base_directory())


@pytest.fixture
def stack(request, base_stack, variants) -> Stack:
    """The default stack, or the one that the test's `variant` mark names."""
    name = variant_of(request.node)
    if name is None:
        return base_stack
    if name not in variants:
        variants[name] = None
        variants[name] = Variant(name)
    if variants[name] is None:
        pytest.fail(f"the stack {name} did not come up before")
    return variants[name].stack


@pytest.fixture
def whole_stack(stack):
    """The test begins and ends with everything up."""
    wait_until(lambda: healthy(stack), 90, 0.1, "a whole stack")
    yield
    wait_until(lambda: healthy(stack), 90, 0.1, "a whole stack afterwards")


@pytest.fixture
def receiver(stack) -> Receiver:
    """Of webhooks, beside the stack `webhooks`."""
    return stack.receiver


@pytest.fixture(scope="session")
def hosts() -> Hosts:
    """Two hosts over one database; a test is skipped, and says why, where there can be none."""
    running = Hosts()
    yield running
    running.down()


@pytest.fixture
def hosts_people(hosts):
    """Users who are clients of host a until a test moves them; and then every rule must hold."""
    wait_until(hosts.serve, 60, 0.1, "both hosts")
    yield People(hosts.a)
    sockets.close_all()
    wait_until(lambda: not invariants.broken(hosts.data), 60, 0.2, "every rule of the database")


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """Two hosts over a Galera cluster; a test is skipped, and says why, where there can be none."""
    running = Cluster()
    yield running
    running.down()


@pytest.fixture
def cluster_people(cluster):
    yield People(cluster.a)
    sockets.close_all()


@pytest.fixture
def cluster_pair(cluster, cluster_people):
    """A caller on host a and a callee on host b."""
    caller, callee = cluster_people.pair()
    return caller, at(cluster.b, callee)


@pytest.fixture
def whole_cluster(cluster):
    """The test ends with every node and both hosts up."""
    yield
    cluster.whole()


@pytest.fixture(scope="session")
def rounds(request) -> range:
    return range(request.config.option.rounds)


@pytest.fixture
def figures(capsys):
    """Prints a line of what was measured, whether or not the test passes."""

    def show(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}", flush=True)

    return show


@pytest.fixture
def own_sidecar(stack):
    """Starts sidecars of the test's own beside the stack's: gives the process and its address."""
    with ExitStack() as running:

        def start(**settings: str):
            address = f"127.0.0.1:{free_port()}"
            return running.enter_context(sidecar(stack, address, **settings)), address

        yield start


@pytest.fixture(scope="module")
def pool():
    """Threads for requests at the same moment; they keep their connections from round to round."""
    with ThreadPoolExecutor(20) as threads:
        yield threads


@pytest.fixture
def people(stack) -> People:
    yield People(stack)
    sockets.close_all()


@pytest.fixture
def pair(people):
    """A caller and a callee who are contacts."""
    return people.pair()


@pytest.fixture(scope="session")
def browser():
    """The browser of a worker that has tests of the console."""
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


@pytest.fixture
def opened(browser, stack):
    """Opens a console as some reader has it; the test fails where a page reports an error."""
    consoles: list[Console] = []

    def open(**options) -> Console:
        consoles.append(Console(browser, stack, **options))
        return consoles[-1]

    yield open
    for console in consoles:
        console.context.close()
    assert not [fault for console in consoles for fault in console.faults]


@pytest.fixture
def console(opened) -> Console:
    """A reader's browser, in a light scheme and in English."""
    return opened(color_scheme="light")


@pytest.fixture
def connected(people):
    """Caller, callee and their call, which is connected."""
    return people.connected()
