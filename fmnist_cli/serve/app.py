"""The HTTP application: predictions, what is being served, and the page."""

import base64
import json
import time
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fmnist_cli.constants import CLASS_NAMES, VERSION
from fmnist_cli.data.pictures import PhotoMode
from fmnist_cli.evaluation.description import describe_model
from fmnist_cli.inference.answers import describe
from fmnist_cli.inference.classifier import Classifier
from fmnist_cli.serve.pages import add_pages, example_names, png
from fmnist_cli.serve.service import Service
from fmnist_cli.serve.uploads import MAX_BODY_BYTES, MAX_FILES, Uploads

_PREDICT: Final = "/predict"
_MODEL_KEYS: Final = (
    *("format", "size_bytes", "network", "parameters", "macs", "recipe", "metrics", "measured"),
    *("versions", "created_at"),
)
"""What `/model` shows of `fmnist info`: no paths of this machine."""
_PICTURE: Final = {"type": "string", "format": "binary"}
_FORM: Final = {
    "type": "object",
    "properties": {"file": {"type": "array", "items": _PICTURE}},
}
_BODY: Final = {
    "requestBody": {
        "required": True,
        "description": f"One picture as it is, or a form with up to {MAX_FILES} files; "
        f"at most {MAX_BODY_BYTES:,} bytes.",
        "content": {
            "image/*": {"schema": _PICTURE},
            "application/octet-stream": {"schema": _PICTURE},
            "multipart/form-data": {"schema": _FORM},
        },
    }
}
_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "Not a form, or no picture in it."},
    408: {"description": "The body did not arrive in time."},
    413: {"description": "The body is too large."},
    415: {"description": "The body has another content type."},
    422: {"description": "No picture could be read, or a parameter is out of range."},
    503: {"description": "Too busy; Retry-After says when to try again."},
}


class PredictQuery(BaseModel):
    """The query of a prediction."""

    top_k: int = Field(3, ge=1, description="Classes to list for each picture.")
    photo: PhotoMode = Field("auto", description="Whether to prepare a picture as a photo.")
    seen: bool = Field(False, description="Add what the network saw: a 28×28 PNG in base64.")  # noqa: FBT003


class _Server:
    """The endpoints of one model."""

    def __init__(self, classifier: Classifier, name: str) -> None:
        self._service, self._uploads = Service(classifier), Uploads()
        self._answered: Counter[int] = Counter()
        described = describe_model(classifier)
        self._about = {
            "model": name,
            **{key: described[key] for key in _MODEL_KEYS},
            "classes": classifier.classes,
            "examples": example_names() if classifier.classes == CLASS_NAMES else [],
        }

    async def predict(self, request: Request, query: Annotated[PredictQuery, Query()]) -> Response:
        """Classify pictures: the most probable classes of each, in the order of the files."""
        started_at = time.perf_counter()
        async with self._uploads.read(request) as received:
            predictions = await self._service.predict(received, query.photo)
        answers = describe(predictions, self._service.classes, query.top_k)
        if query.seen:
            for answer, prediction in zip(answers, predictions, strict=True):
                if prediction.picture is not None:
                    seen = png(prediction.picture.pixels)
                    answer["seen"] = base64.b64encode(seen).decode()
        document: dict[str, Any] = {"predictions": answers}
        errors = [answer["error"] for answer in answers if "error" in answer]
        if len(errors) == len(answers):
            document["error"] = errors[0] if len(errors) == 1 else "no picture can be used"
        milliseconds = 1_000 * (time.perf_counter() - started_at)
        timing = {"Server-Timing": f"total;dur={milliseconds:.1f}"}
        return self._json(document, 422 if "error" in document else 200, timing)

    async def model(self) -> Response:
        """What is being served."""
        return self._json(self._about)

    async def health(self) -> Response:
        """Whether the server is alive, and ready for a picture."""
        is_ready = self._service.is_ready
        return self._json({"live": True, "ready": is_ready}, 200 if is_ready else 503)

    async def metrics(self) -> Response:
        """Counters in Prometheus's text format."""
        by_status = {
            f'fmnist_requests_total{{status="{status}"}}': count
            for status, count in sorted(self._answered.items())
        }
        lines = [f"{name} {value}" for name, value in (by_status | self._service.counts()).items()]
        return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")

    async def failed(self, request: Request, error: Exception) -> Response:
        """The answer to an error, whoever raised it."""
        match error:
            case HTTPException(status_code=404):
                return self._json({"error": f"nothing at {request.url.path!r}; see /docs"}, 404)
            case HTTPException(status_code=405, headers={"Allow": allowed}):
                text = f"{request.method} is not allowed here; expected {allowed}"
                return self._json({"error": text}, 405, error.headers)
            case HTTPException():
                return self._json({"error": error.detail}, error.status_code, error.headers)
            case RequestValidationError() | ValidationError():
                first = error.errors()[0]
                return self._json({"error": f"{first['loc'][-1]}: {first['msg']}"}, 422)
            case ClientDisconnect():
                return Response(status_code=400)  # nobody reads it
        return self._json({"error": "internal error; the server's log has its traceback"}, 500)

    def _json(
        self, document: object, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        self._answered[status] += 1
        content = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return Response(content, status, headers, "application/json")


class _Shortcut:
    """Middleware that calls `predict` without FastAPI's routing and its parsing of parameters.

    With them, a request takes 0.7 instead of 0.5 ms of processor time, the network not counted
    (one core of an AMD EPYC, a raw body, `wrk` with 32 connections).
    """

    def __init__(self, app: ASGIApp, server: _Server) -> None:
        self._app, self._server = app, server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (scope["path"], scope["method"]) != (_PREDICT, "POST"):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            query = PredictQuery.model_validate(dict(request.query_params))
            response = await self._server.predict(request, query)
        except (HTTPException, ValidationError, ClientDisconnect) as error:
            response = await self._server.failed(request, error)
        await response(scope, receive, send)


def create_app(classifier: Classifier, name: str) -> FastAPI:
    """Make the application for a model; name: what `/model` calls it."""
    server = _Server(classifier, name)
    app = FastAPI(
        title="fmnist",
        version=VERSION,
        description="Predictions of a Fashion-MNIST classifier.",
        docs_url=None,  # FastAPI's pages load their scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.post(_PREDICT, openapi_extra=_BODY, responses=_ERRORS)(server.predict)
    app.get("/model")(server.model)
    app.get("/health", responses={503: {"description": "Alive, but too busy."}})(server.health)
    app.get("/metrics")(server.metrics)
    for get in (server.model, server.health, server.metrics):
        app.head(f"/{get.__name__}", include_in_schema=False)(get)
    for kind in (HTTPException, RequestValidationError, ClientDisconnect, Exception):
        app.add_exception_handler(kind, server.failed)
    app.add_middleware(_Shortcut, server=server)
    add_pages(app)
    return app
