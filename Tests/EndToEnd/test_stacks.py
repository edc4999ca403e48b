"""Stacks beside one another, as somebody has who runs the tests beside a stack of `make run`."""

from __future__ import annotations

import subprocess

import redis

from support.stack import make, wait_until
from support.variants import free_port


def test_down_leaves_another_stacks_redis(tmp_path):
    """One that shares another's data has no Redis: what listens where its own would be is somebody else's."""
    port = free_port()
    directory = tmp_path / "stack"
    directory.mkdir()
    for name in (".chattrix-stack", "env"):
        (directory / name).touch()
    server = subprocess.Popen(
        ["redis-server", "--port", str(port + 1), "--bind", "127.0.0.1", "--save", ""],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
    )
    try:
        with redis.Redis(port=port + 1) as client:
            wait_until(lambda: answers(client), message="Redis")
            make("down", directory, {"STACK_PORT": str(port)})
            assert server.poll() is None and answers(client)
        assert not (directory / "env").exists()
    finally:
        server.kill()
        server.wait()


def answers(client: redis.Redis) -> bool:
    try:
        return client.ping()
    except redis.ConnectionError:
        return False
