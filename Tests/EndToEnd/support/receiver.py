"""A receiver of webhooks over TLS, and a REST API of Agora's beside it: what they were sent, and when.

Signatures are verified by Standard Webhooks' own library. How a request is answered can be set for each call.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import functools
import ipaddress
import json
import secrets
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from standardwebhooks import Webhook

from description.documents import openapi
from support.people import People
from support.stack import PATIENCE, wait_until

CUSTOMER = ("customer-of-the-tests", "secret-of-the-tests")


@dataclasses.dataclass
class Request:
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @functools.cached_property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def call_id(self) -> str:
        return self.json["data"]["callId"]

    @property
    def type(self) -> str:
        return self.json["type"]

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def get_request(self):
        connection, address = super().get_request()
        # Without it each answer takes 40 ms: the head and the body are two segments.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address

    def handle_error(self, request, client_address):
        """A client that is killed in the middle is what the tests are about."""


class Receiver:
    """Listens on a port, with a certificate of a CA of its own."""

    def __init__(self, directory: Path, port: int):
        self.secrets = [
            "whsec_" + base64.b64encode(secrets.token_bytes(n)).decode() for n in (24, 64)
        ]
        self.ca_file = directory / "receiver-ca.pem"
        self.certificate = directory / "receiver.pem"
        self.make_certificate()
        self.requests: list[Request] = []
        self.lock = threading.Lock()
        self.rules: list[tuple] = []
        self.gate = threading.Event()
        self.server: Server | None = None
        self.port = port
        self.open()

    def make_certificate(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Receiver of the tests")])
        now = datetime.datetime.now(datetime.UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
                critical=False,
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = built.public_bytes(serialization.Encoding.PEM)
        self.ca_file.write_bytes(pem)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self.certificate.write_bytes(pem + private)

    def settings(self) -> dict[str, str]:
        base = f"https://127.0.0.1:{self.port}"
        return {
            "WEBHOOK_URL": f"{base}/webhooks?from=tests",
            "WEBHOOK_SECRETS": ", ".join(self.secrets),
            "WEBHOOK_CA_FILE": str(self.ca_file),
            "AGORA_CUSTOMER_ID": CUSTOMER[0],
            "AGORA_CUSTOMER_SECRET": CUSTOMER[1],
            "AGORA_API_URL": f"{base}/agora",
            "AGORA_API_FALLBACK_URL": f"{base}/fallback/",
        }

    def open(self) -> None:
        """Listens (again), on the same port."""
        receiver = self
        self.gate.clear()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver.answer(self)

            def log_message(self, *arguments):
                pass

        self.server = Server(("127.0.0.1", self.port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Refuses connections from now on, and answers on none that are open."""
        self.gate.set()
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    # How requests are answered.

    def when(self, condition, *actions) -> None:
        """The first requests that fulfil the condition get these actions, one each; then 204."""
        with self.lock:
            self.rules.append((condition, list(actions)))

    def action_for(self, request: Request):
        with self.lock:
            self.requests.append(request)
            for condition, actions in self.rules:
                if actions and condition(request):
                    return actions.pop(0)
        return None

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        action = "close"
        if self.server is not None:
            action = self.action_for(Request(handler.path, headers, body, time.time()))
        if action == "close":
            handler.close_connection = True
            return
        if action == "hang":
            self.gate.wait(15)
            handler.close_connection = True
            return
        if action == "half":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
            handler.close_connection = True
            return
        status, more = action if action else (204, {})
        handler.send_response(status)
        for name, value in more.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    # What came.

    def verify(self, request: Request) -> dict:
        """By each of the secrets, of which a receiver may know only one; and by the API's description."""
        for secret in self.secrets:
            Webhook(secret).verify(request.body, request.headers)
        described = openapi().content["webhooks"][request.type]["post"]["requestBody"]
        schema = described["content"]["application/json"]["schema"]
        assert openapi().faults(schema, request.json) == []
        return request.json

    def of(self, call_id: str) -> list[Request]:
        with self.lock:
            known = list(self.requests)
        return [r for r in known if r.path.startswith("/webhooks") and r.call_id == call_id]

    def types(self, call_id: str) -> list[str]:
        return [request.type for request in self.of(call_id)]

    def kicks(self, channel_id: str) -> list[Request]:
        with self.lock:
            known = list(self.requests)
        return [r for r in known if "kicking-rule" in r.path and r.json["cname"] == channel_id]

    def wait(self, call_id: str, *types: str, timeout=PATIENCE) -> list[Request]:
        """The requests of a call, once there is one of each of these types."""

        def came():
            return set(types) <= set(self.types(call_id))

        wait_until(came, timeout, message=f"webhooks {types}")
        return self.of(call_id)

    def data(self, call_id: str, kind: str, timeout=PATIENCE) -> dict:
        """What the webhook of a type said, its signature verified."""
        requests = self.wait(call_id, kind, timeout=timeout)
        (request,) = [request for request in requests if request.type == kind][:1]
        return self.verify(request)["data"]


def prepared_call(people: People, receiver: Receiver, *actions, kind="call.invitation"):
    """A call, of which the first requests of a type are answered by these actions."""
    caller, callee = people.pair()
    receiver.when(
        lambda r: (
            r.path.startswith("/webhooks")
            and r.json["data"].get("calleeId") == callee.id
            and r.type == kind
        ),
        *actions,
    )
    return caller, callee, caller.call(callee)
