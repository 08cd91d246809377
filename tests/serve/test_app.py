"""What the server answers."""

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.serve.uploads import MAX_BODY_BYTES, MAX_FILES
from tests.cli.schemas import parse
from tests.sample_images import draw, photograph, png, saved
from tests.serve.serving import Server, form

IMAGES = draw(20, "test").images
PICTURE = png(IMAGES[0])


def test_a_raw_body(server: Server) -> None:
    answer = server.ask("/predict", PICTURE)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert re.fullmatch(r"total;dur=\d+\.\d", answer.headers["server-timing"])
    (prediction,) = answer.json()["predictions"]
    parse(json.dumps(prediction), "predict")
    assert prediction["input"] == "-"
    assert prediction["photo"] is False
    assert len(prediction["top"]) == 3


@pytest.mark.parametrize(
    "kind", ["image/jpeg", "application/octet-stream", "application/x-www-form-urlencoded", ""]
)
def test_types_of_a_raw_body(server: Server, kind: str) -> None:
    answer = server.ask("/predict", PICTURE, kind)
    assert answer.json() == server.ask("/predict", PICTURE).json()


def test_several_files_and_a_broken_one(server: Server) -> None:
    files = [("a.png", PICTURE), ("b.png", b"no picture"), ("a.png", png(IMAGES[1]))]
    answer = server.send_form(files, "?top_k=2")
    assert answer.status_code == 200
    first, broken, last = answer.json()["predictions"]
    assert [one["input"] for one in (first, broken, last)] == ["a.png", "b.png", "a.png"]
    assert broken.keys() == {"input", "error"}
    assert len(first["top"]) == len(last["top"]) == 2
    alone = server.ask("/predict?top_k=2", PICTURE).json()["predictions"][0]
    assert first == {**alone, "input": "a.png"}


def test_nothing_but_broken_pictures_is_an_error(server: Server) -> None:
    answer = server.ask("/predict", b"no picture")
    assert answer.status_code == 422
    assert answer.json()["error"] == answer.json()["predictions"][0]["error"]
    answer = server.send_form([("a", b"1"), ("b", b"2")])
    assert answer.status_code == 422
    assert len(answer.json()["predictions"]) == 2


@pytest.mark.parametrize("name", ["../../etc/passwd", "<b>x</b>", "衣物.png", "a\\u0000b", ""])
def test_a_name_is_text_and_other_fields_are_ignored(server: Server, name: str) -> None:
    body, kind = form([(name, PICTURE)])
    field = b'--=b\r\nContent-Disposition: form-data; name="x"\r\n\r\nvalue\r\n'
    answer = server.ask("/predict", field + body, kind)
    assert answer.json()["predictions"][0]["input"] == name


def test_what_the_network_saw_and_more_classes_than_there_are(server: Server) -> None:
    prediction = server.ask("/predict?seen=true&top_k=99", PICTURE).json()["predictions"][0]
    assert len(prediction["top"]) == len(CLASS_NAMES)
    seen = Image.open(BytesIO(base64.b64decode(prediction["seen"])))
    np.testing.assert_array_equal(np.asarray(seen), IMAGES[0])


@pytest.mark.parametrize(("mode", "is_photo"), [("auto", True), ("on", True), ("off", False)])
def test_photos(server: Server, mode: str, is_photo: bool) -> None:
    photo = saved(photograph(IMAGES[0]), "JPEG")
    for picture in (photo, png(255 - IMAGES[0])):  # light, though 28 by 28
        answer = server.ask(f"/predict?photo={mode}", picture)
        assert answer.json()["predictions"][0]["photo"] is is_photo


@pytest.mark.parametrize(
    ("path", "body", "kind", "status", "words"),
    [
        ("/predict", b"", "image/png", 400, "empty"),
        ("/predict", b"x", "multipart/form-data", 400, "boundary"),
        ("/predict", b"--=b--\r\n", "multipart/form-data; boundary==b", 400, "no file"),
        ("/predict", *form([("x", b"y")] * (MAX_FILES + 1)), 400, "Too many files"),
        ("/predict", b"{}", "application/json", 415, "application/json"),
        ("/predict?top_k=0", PICTURE, "image/png", 422, "top_k"),
        ("/predict?photo=maybe", PICTURE, "image/png", 422, "photo"),
        ("/predict", bytes(MAX_BODY_BYTES + 1), "image/png", 413, "20,000,000"),
        ("/predict/", PICTURE, "image/png", 404, "/docs"),
        ("/nothing", None, "", 404, "/docs"),
        ("/predict", None, "", 405, "POST"),
        ("/health", b"x", "image/png", 405, "GET"),
    ],
)
def test_errors(
    server: Server, path: str, body: bytes | None, kind: str, status: int, words: str
) -> None:
    answer = server.ask(path, body, kind)
    assert answer.status_code == status, answer.content
    assert answer.json().keys() == {"error"}
    assert words in answer.json()["error"]


def test_a_large_body_is_taken(server: Server) -> None:
    padded = PICTURE + bytes(MAX_BODY_BYTES - len(PICTURE))
    assert server.ask("/predict", padded).status_code == 200


def test_the_model_and_health(server: Server) -> None:
    model = server.ask("/model").json()
    assert model["model"] == "small.onnx"
    assert model["network"] == "tutorial"
    assert model["classes"] == list(CLASS_NAMES)
    assert model["examples"]
    answer = server.ask("/health")
    assert (answer.status_code, answer.json()) == (200, {"live": True, "ready": True})
    assert "/" not in json.dumps(model).replace("T-shirt/top", "").replace("image/s", "")


@pytest.mark.parametrize("path", ["/", "/model", "/health", "/metrics", "/docs", "/openapi.json"])
def test_head_is_a_get_without_a_body(server: Server, path: str) -> None:
    answer = server.ask(path, method="HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == server.ask(path).headers["content-type"]


def test_requests_that_arrive_together_share_batches(server: Server) -> None:
    def counts() -> dict[str, int]:
        lines = server.ask("/metrics").text.splitlines()
        return {name: int(value) for name, value in (line.split() for line in lines)}

    before = counts()
    contents = [png(image) for image in IMAGES] * 10
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda content: server.ask("/predict", content), contents))
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json() for answer in answers[:20]] == [one.json() for one in answers[20:40]]
    after = counts()
    pictures, batches = (
        after[f"fmnist_{k}_total"] - before[f"fmnist_{k}_total"] for k in ("pictures", "batches")
    )
    assert pictures == len(contents)
    assert batches <= pictures
    assert after["fmnist_pictures_waiting"] == 0


@pytest.mark.parametrize("path", ["/", "/page.js", "/page.css", "/docs", "/docs.js"])
def test_pages_load_nothing_from_elsewhere(server: Server, path: str) -> None:
    answer = server.ask(path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(rb"https?:|//[a-z]+\.|innerHTML|style=|onclick", answer.content)


def test_examples_are_images_of_the_data_set(server: Server) -> None:
    for number in range(len(server.ask("/model").json()["examples"])):
        prediction = server.ask("/predict", server.ask(f"/examples/{number}.png").content)
        assert prediction.json()["predictions"][0]["photo"] is False


def test_the_client_of_the_page(server: Server, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs/serving.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/serving.md", "exec"), names)
    (tmp_path / "a.png").write_bytes(PICTURE)
    found = names["classify"](tmp_path / "a.png", f"http://127.0.0.1:{server.port}")
    assert found == server.ask("/predict", PICTURE).json()["predictions"][0]["class"]


def test_the_schema_lists_all_that_a_client_needs(server: Server) -> None:
    schema = server.ask("/openapi.json").json()
    assert schema["paths"].keys() == {"/predict", "/model", "/health", "/metrics"}
    predict = schema["paths"]["/predict"]["post"]
    assert [one["name"] for one in predict["parameters"]] == ["top_k", "photo", "seen"]
    assert {"400", "413", "415", "422", "503"} <= predict["responses"].keys()
