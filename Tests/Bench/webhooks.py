#!/usr/bin/env python3
"""From a change of a call to its webhook at the receiver, on a stack of its own (contract 8; ≤ 50 ms at p99).

The beginning is the time that the database gave the event, in the transaction, a moment before its commit; so what
is shown has the rest of the transaction in it. One call at a time: nothing waits for anything but itself.
"""

from __future__ import annotations

import argparse
import base64
import collections
import datetime
import json
import os
import secrets
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests

import table
from stack import Stack, user_ids
from wire import token

STACK = Path(__file__).resolve().parents[1] / "Stack" / "stack.sh"


class Receiver(ThreadingHTTPServer):
    """Notes when each event came, in milliseconds since the event's own time."""

    daemon_threads = True

    def __init__(self):
        self.took: dict[str, list[float]] = collections.defaultdict(list)
        self.ended: set[str] = set()
        super().__init__(("127.0.0.1", 0), Handler)

    def get_request(self):
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        now = time.time()
        began = datetime.datetime.fromisoformat(event["timestamp"]).timestamp()
        self.server.took[event["type"]].append((now - began) * 1000)
        if event["type"] == "call.ended":
            self.server.ended.add(event["data"]["callId"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments):
        pass


def calls(stack: Stack, receiver: Receiver, count: int) -> None:
    caller, callee = user_ids(2)
    stack.users([caller, callee])
    with stack.database() as database, database.cursor() as cursor:
        cursor.execute(
            "INSERT IGNORE INTO contacts VALUES (%s, %s, 'ACCEPTED'), (%s, %s, 'ACCEPTED')",
            (caller, callee, callee, caller),
        )
    client = requests.Session()
    client.trust_env, client.verify = False, stack.env["CA_FILE"]

    def post(user: str, path: str, body: dict) -> dict:
        headers = {"Authorization": f"Bearer {token(stack, user)}"}
        answer = client.post(stack.env["API_URL"] + path, json=body, headers=headers)
        answer.raise_for_status()
        return answer.json()["data"]

    for number in range(count):
        call = post(caller, "/calls/initiate", {"calleeId": callee, "callType": "video"})["callId"]
        if number % 2:
            post(callee, f"/calls/{call}/accept", {})
        post(caller, f"/calls/{call}/end", {})
        deadline = time.monotonic() + 20
        while call not in receiver.ended and time.monotonic() < deadline:
            time.sleep(0.001)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    arguments, _ = parser.parse_known_args()
    receiver = Receiver()
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    folder = Path(os.environ["STACK_DIR"]).resolve().with_name("stack-of-webhooks")
    environment = os.environ | {
        "STACK_DIR": str(folder),
        "STACK_PORT": str(int(os.environ["STACK_PORT"]) + 20),
        "WEBHOOK_URL": f"http://127.0.0.1:{receiver.server_address[1]}/",
        "WEBHOOK_SECRETS": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    os.environ["STACK_DIR"] = str(folder)
    subprocess.run([str(STACK), "up"], env=environment, check=True, capture_output=True)
    try:
        calls(Stack(), receiver, arguments.calls)
    finally:
        subprocess.run([str(STACK), "wipe"], env=environment, check=True, capture_output=True)
    print(f"From the event to its receiver, {arguments.calls} calls, one at a time")
    for kind, took in sorted(receiver.took.items()):
        table.figure(f"{kind}, median of {len(took)}", table.percentile(took, 0.5), "ms")
        table.figure(f"{kind}, 99th percentile", table.percentile(took, 0.99), "ms", 50)


if __name__ == "__main__":
    main()
