"""A web server of Python's own for the client's tests: what it does is the request's path.

usage: server.py HOST PORT [CERTIFICATE KEY [VERSION]]

Descriptor 3 is a socket of the tests': the port goes there, and the end of it is the server's end.
"""

import itertools
import os
import socket
import ssl
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

END = threading.Event()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    tls = None
    farewells = 0

    def __init__(self, host, port):
        self.connections = itertools.count(1)
        self.requests = Counter()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), Handler)

    def server_bind(self):
        """Without HTTPServer's look at the DNS for the name of the address."""
        TCPServer.server_bind(self)

    def get_request(self):
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address

    def finish_request(self, request, client_address):
        if self.tls:
            request = self.tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)
        if self.tls:
            request.unwrap()
            self.farewells += 1

    def handle_error(self, request, client_address):
        """A client that gives up is what the tests are about."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    is_last = False

    def setup(self):
        super().setup()
        self.number = next(self.server.connections)

    def log_message(self, *_):
        pass

    def do_POST(self):
        if self.is_last:
            self.close_connection = True
            return
        path = self.path.partition("?")[0]
        if path == "/early":
            self.raw(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
            return
        self.body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests[self.headers["X-Client"]] += 1
        getattr(self, path.strip("/").replace("-", "_"))()

    def answer(self, status=200, body=b"ok", **fields):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Connection", str(self.number))
        self.send_header("X-Requests", str(self.server.requests[self.headers["X-Client"]]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def raw(self, *pieces, pause=0.0, close=True):
        self.close_connection = close
        for piece in pieces:
            self.wfile.write(piece)
            time.sleep(pause)

    def ok(self):
        self.answer()

    def farewells(self):
        """How many connections a close_notify ended."""
        self.answer(body=str(self.server.farewells).encode())

    def echo(self):
        head = f"{self.requestline}\n{self.headers}".encode()
        self.answer(body=head + self.body)

    def redirect(self):
        self.answer(302, Location="/ok")

    def gone(self):
        self.answer(410)

    def busy(self):
        self.answer(503, b"", **{"Retry-After": "120"})

    def empty(self):
        self.raw(b"HTTP/1.1 204 No Content\r\n\r\n", close=False)

    def chunked(self):
        pieces = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
        pieces += [b"4;x=y\r\nWiki\r\n", b"6\r\npedia ", b"\r\n0\r\nX: y\r\n", b"\r\n"]
        self.raw(*pieces, pause=0.01, close=False)

    def until_close(self):
        self.raw(b"HTTP/1.0 200 OK\r\n\r\n", b"to the ", b"end", pause=0.01)

    def interim(self):
        self.raw(
            b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        )
        self.answer()

    def endless_interim(self):
        while True:
            self.raw(b"HTTP/1.1 100 Continue\r\n\r\n")

    def hang(self):
        END.wait()

    def dribble_head(self):
        self.raw(b"HTTP/1.1 200 OK\r\n", *[b"x"] * 10_000, pause=0.02)

    def dribble_body(self):
        self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n", *[b"x"] * 10_000, pause=0.02)

    def cut_head(self):
        self.raw(b"HTTP/1.1 200 OK\r\nContent-Le")

    def cut_body(self):
        self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")

    def cut_chunk(self):
        self.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\nhalf")

    def nothing(self):
        self.raw()

    def garbage(self):
        self.raw(b"SSH-2.0-OpenSSH_9.2p1\r\n")

    def huge_head(self):
        self.raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n")

    def huge_body(self):
        self.answer(body=b"x" * 1_000_000)

    def huge_chunks(self):
        self.raw(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1000\r\n" + b"x" * 4096 + b"\r\n",
        )
        while True:
            self.raw(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    def endless(self):
        self.raw(b"HTTP/1.1 500 Oops\r\n\r\n")
        while True:
            self.raw(b"x" * 4096)

    def last(self):
        """The next request on this connection gets no answer."""
        self.is_last = True
        self.answer()

    def closes(self):
        """Says that the connection stays, and closes it."""
        self.answer()
        self.close_connection = True

    def says_close(self):
        self.answer(Connection="close")

    def two(self):
        """A response and what nobody asked for."""
        self.raw(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Oops\r\n\r\n", close=False
        )


def exit_with_tests():
    os.read(3, 1)
    os._exit(0)


def main():
    host, port, *tls = sys.argv[1:]
    server = Server(host, int(port))
    if tls:
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(*tls[:2])
        server.tls.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        if len(tls) > 2:
            server.tls.maximum_version = ssl.TLSVersion[tls[2]]
            server.tls.minimum_version = ssl.TLSVersion[tls[2]]
            server.tls.set_ciphers("ALL:@SECLEVEL=0")
    os.write(3, f"{server.server_address[1]}\n".encode())
    threading.Thread(target=exit_with_tests, daemon=True).start()
    server.serve_forever()


main()
