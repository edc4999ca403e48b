"""Requests to the workers without nginx, by cgi-fcgi(1), FastCGI's own client."""

from __future__ import annotations

import os
import subprocess


def ask_workers(path: str, uri: str) -> subprocess.Popen:
    """A GET of a URI, under way at a socket; the response goes to standard output."""
    variables = {"REQUEST_METHOD": "GET", "REQUEST_URI": uri, "REQUEST_ID": "fastcgi-test"}
    return subprocess.Popen(
        ["cgi-fcgi", "-bind", "-connect", path],
        env={"PATH": os.environ["PATH"]} | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
