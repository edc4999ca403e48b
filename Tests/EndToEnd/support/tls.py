"""TLS sockets that two threads may use at once.

`websockets` reads in a thread of its own while the test writes in another. CPython before 3.13 lets
both into one OpenSSL object at the same time, which OpenSSL forbids; some handshakes in a hundred
then hang or end in "internal error". Here one operation runs at a time, and none waits inside.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading


class SharedSocket(ssl.SSLSocket):
    """An SSLSocket whose reads and writes take turns."""

    def alone(self, operation):
        """Runs a read or write without blocking, and waits outside of the lock for more."""
        turn = self.__dict__.setdefault("turn", threading.Lock())
        while True:
            with turn:
                if self.fileno() < 0:
                    raise OSError("closed")
                socket.socket.settimeout(self, 0)
                try:
                    return operation()
                except ssl.SSLWantReadError:
                    event = select.POLLIN
                except ssl.SSLWantWriteError:
                    event = select.POLLOUT
                finally:
                    if self.fileno() >= 0:
                        socket.socket.settimeout(self, None)
                poll = select.poll()
                poll.register(self.fileno(), event)
            poll.poll(250)  # another thread may close it meanwhile

    def recv(self, buflen=1024, flags=0):
        return self.alone(lambda: super(SharedSocket, self).recv(buflen, flags))

    def sendall(self, data, flags=0):
        view = memoryview(data).cast("B")
        while view:
            sent = self.alone(lambda v=view: super(SharedSocket, self).send(v, flags))
            view = view[sent:]

    def settimeout(self, value):
        """Ignored once connected: who waits is decided above."""
        if "turn" not in self.__dict__:
            super().settimeout(value)


def context(ca_file: str) -> ssl.SSLContext:
    """What verifies a stack's certificate and makes such sockets."""
    made = ssl.create_default_context(cafile=ca_file)
    made.sslsocket_class = SharedSocket
    return made
