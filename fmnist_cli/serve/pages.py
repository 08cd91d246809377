"""The page, the list of endpoints, and the pictures that they show: files of this package."""

import io
from importlib import resources
from typing import Any, Final

from fastapi import FastAPI
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data import sample
from fmnist_cli.data.images import Images

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_FILES: Final = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/docs": ("docs.html", "text/html"),
    "/docs.js": ("docs.js", "text/javascript"),
}
_EXAMPLES: Final = 10
"""Test images of the sample, one of each class."""


def add_pages(app: FastAPI) -> None:
    """Serve the files; none of them appears in the schema."""
    for path, (name, media_type) in _FILES.items():
        content = resources.files(__package__).joinpath(name).read_bytes()
        app.add_route(path, _constant(content, media_type), include_in_schema=False)
    for number, pixels in enumerate(sample.read("test").images[:_EXAMPLES]):
        path = f"/examples/{number}.png"
        app.add_route(path, _constant(png(pixels), "image/png"), include_in_schema=False)


def example_names() -> list[str]:
    """The classes of the example pictures, in the order of their numbers."""
    return [CLASS_NAMES[label] for label in sample.read("test").labels[:_EXAMPLES]]


def png(pixels: Images) -> bytes:
    """Uint8 [28, 28] as a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _constant(content: bytes, media_type: str) -> Any:
    async def endpoint(_request: Request) -> Response:
        return Response(content, media_type=media_type, headers={"Cache-Control": "no-cache"})

    return endpoint
