"""The program as a server, and requests to it."""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import requests

from tests.cli.conftest import start


class Server(NamedTuple):
    """A running `fmnist serve`."""

    process: "subprocess.Popen[str]"
    port: int

    def ask(
        self,
        path: str,
        body: bytes | None = None,
        kind: str = "image/png",
        *,
        method: str | None = None,
    ) -> requests.Response:
        """Send one request; with a body it is a POST."""
        method = method or ("POST" if body is not None else "GET")
        headers = {"Content-Type": kind} if body is not None else {}
        url = f"http://127.0.0.1:{self.port}{path}"
        with requests.Session() as session:
            session.trust_env = False  # no proxy
            return session.request(method, url, data=body, headers=headers, timeout=30)

    def send_form(self, files: Sequence[tuple[str, bytes]], query: str = "") -> requests.Response:
        """Send files as one form."""
        return self.ask(f"/predict{query}", *form(files))


@contextmanager
def serving(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Run `fmnist serve` on a free port for the length of a with-block."""
    process = start("serve", "--port", "0", *arguments, env=env)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if found := re.fullmatch(r"serving .* at http://127\.0\.0\.1:(\d+)\n", line):
                yield Server(process, int(found[1]))
                return
        raise AssertionError(f"the server ended with {process.wait()}")
    finally:
        process.kill()
        process.communicate()


def form(files: Sequence[tuple[str, bytes]]) -> tuple[bytes, str]:
    """A multipart form of named files, and its content type."""
    parts = [
        f'--=b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for name, content in files
    ]
    return b"".join(parts) + b"--=b--\r\n", 'multipart/form-data; boundary="=b"'
