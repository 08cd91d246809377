"""Requests that a server should survive: each is bytes in pieces, with pauses between them."""

import zlib
from collections.abc import Callable, Sequence
from random import Random
from typing import Final, NamedTuple

from tests.data.hostile_pictures import forge_jpeg, forge_png, intact, png_claiming
from tests.serve.serving import form

_PNGS: Final = intact("PNG")
_JPEGS: Final = intact("JPEG")
_PATHS: Final = (
    *("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/examples/..%2f..%2fpage.html"),
    *("/examples/999.png", "//predict", "/predict/", "/\x00", "/%00", "/%ff%fe", "/\xff\xfe"),
    *("http://127.0.0.1/model", "*", "/" + "a" * 60_000, "/?" + "q" * 60_000, "/predict;x=1"),
)
_QUERIES: Final = (
    *("top_k=abc", "top_k=-1", "top_k=0", f"top_k={10**40}", "top_k=1&top_k=2", "top_k=nan"),
    *("photo=maybe", "photo=", "photo=%ff", "seen=2", "seen=%00", "&&&===", "a" * 9_000),
)
_TYPES: Final = (
    *("application/json", "text/html", "multipart/form-data", "multipart/mixed; boundary=b"),
    *("multipart/form-data; boundary=" + "b" * 300, "multipart/form-data; boundary=\xff", "image"),
    *("multipart/form-data; charset=utf-7; boundary=b", ";;;", "\xff" * 500),
    "image/png, image/png",
)


class Hostile(NamedTuple):
    """What a client sends."""

    kind: str
    pieces: Sequence[bytes]
    pause_seconds: float
    """Between the pieces."""
    waits: bool
    """Whether it reads an answer; otherwise it hangs up after the last piece."""


_BOMB: Final = png_claiming(5_000, 5_000, zlib.compress(bytes(5_001 * 5_000), 9))
"""25 megapixels in 24 kB."""
_LARGE: Final = png_claiming(
    3_500, 3_500, zlib.compress(bytes(3_500 * 14_001 - 4) + b"\xff" * 4, 9), 6
)
"""12 megapixels with alpha in 48 kB: 49 MB, which is just allowed."""


def post(body: bytes, kind: str = "image/png", query: str = "", length: int | str = "") -> bytes:
    """A request to /predict; `length`: what it claims."""
    head = f"POST /predict?{query} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
    head += f"Content-Length: {length if length != '' else len(body)}\r\n\r\n"
    return head.encode("latin-1") + body


def draw(random: Random) -> Hostile:
    """Draw a request."""
    kind, make = random.choice(list(KINDS.items()))
    made = make(random)
    waits = random.random() < 0.8
    if isinstance(made, bytes) and random.random() < 0.15:  # slow, or cut off
        middle = random.randrange(len(made))
        return Hostile(kind, [made[:middle], made[middle:]], random.random() / 2, waits)
    return Hostile(kind, [made] if isinstance(made, bytes) else made, 0.05, waits)


def _length(random: Random) -> bytes:
    content = random.choice(_PNGS)
    claims = (0, 1, len(content) - 1, len(content) + 100, 10**8, 10**30, -1, "abc", "1, 2", " ")
    return post(content, length=random.choice(claims))


def _picture(random: Random) -> bytes:
    content = random.choice([*_PNGS, *_JPEGS])
    forged = forge_png(random, content) if content[:1] == b"\x89" else forge_jpeg(random, content)
    return post(forged, query=random.choice(("", "photo=on", "photo=off", "seen=true")))


def _size(random: Random) -> bytes:
    sides = (0, 1, 28, 5_000, 5_001, 65_535, 2**31 - 1, 2**32 - 1)
    claimed = png_claiming(random.choice(sides), random.choice(sides), zlib.compress(bytes(99)))
    return post(random.choice((claimed, claimed, _BOMB, _LARGE)))


def _form(random: Random) -> bytes:
    body, kind = form([("../../x.png", random.choice(_PNGS)), ("y" * 5_000, b"")])
    at = random.randrange(len(body))
    body = random.choice(
        (
            body[:at],
            body[:at] + random.randbytes(9) + body[at:],
            body.replace(b"name=", random.choice((b"", b"name==", b"name*=utf-8''%ff", b'"'))),
            body.replace(b"Content-Disposition", b"X" * 20_000),
            body.replace(b"\r\n", b"\n"),
            body * 40,
            b"--=b\r\n" * 9_000,
            form([("x", b"")] * 500)[0],
            b"--=b\r\nContent-Disposition: form-data; name=a\r\n\r\n" + bytes(2_000_000),
        )
    )
    return post(body, kind)


def _chunked(random: Random) -> bytes:
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    size = random.choice((b"ffffffffffffffffff", b"-1", b"zz", b"5;" + b"e" * 5_000, b"5", b""))
    return head + size + b"\r\nabcde\r\n" + random.choice((b"0\r\n\r\n", b"", b"0\r\nX: y\r\n\r\n"))


def _head(random: Random) -> bytes:
    lines = random.choice(
        (
            b"X: " + b"y" * 300_000,
            b"X: y\r\n" * 20_000,
            b"X" * 100_000,
            b"Upgrade: websocket\r\nConnection: Upgrade",
            b"Expect: 100-continue\r\nContent-Length: 30000000",
            b"Content-Length: 1\r\nTransfer-Encoding: chunked",
            b"Content-Length: 1\r\nContent-Length: 2",
            b"X: \x00\x01\xff",
            b": y",
        )
    )
    return b"POST /predict HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n\r\n"


def _method(random: Random) -> bytes:
    methods = ("PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "BREW", "\x00")
    method = random.choice(methods)
    path = random.choice(("/", "/predict", "/model", "x:80"))
    return f"{method} {path} HTTP/{random.choice(('1.1', '1.0', '0.9', '3.7'))}\r\n\r\n".encode()


KINDS: Final[dict[str, Callable[[Random], bytes | list[bytes]]]] = {
    "length": _length,
    "picture": _picture,
    "size": _size,
    "form": _form,
    "chunked": _chunked,
    "head": _head,
    "method": _method,
    "noise": lambda random: random.randbytes(random.randrange(1, 5_000)),
    "path": lambda random: f"GET {random.choice(_PATHS)} HTTP/1.1\r\n\r\n".encode("latin-1"),
    "query": lambda random: post(random.choice(_PNGS), query=random.choice(_QUERIES)),
    "type": lambda random: post(random.choice(_PNGS), random.choice(_TYPES)),
    "pipeline": lambda random: post(random.choice(_PNGS)) * random.randrange(2, 20),
    "drip": lambda random: [bytes([one]) for one in post(b"abc")[: random.randrange(5, 30)]],
    "flood": lambda random: [post(b"", length=10**9), *[bytes(1_000_000)] * random.randrange(50)],
}
