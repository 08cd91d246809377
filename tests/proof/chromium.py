"""Headless Chromium, driven through a pipe by the DevTools protocol."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

FLAGS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--remote-debugging-pipe"),
)


class Tab:
    """One page of the browser."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read = write, read
        self._rest = b""
        self._number = 0
        self._session = ""
        self.events: list[dict[str, Any]] = []
        target = self("Target.createTarget", url="about:blank")["targetId"]
        found = self("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
            self(f"{domain}.enable")

    def __call__(self, method: str, **params: Any) -> Any:
        """Call a method of the protocol; returns its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = os.read(self._read, 1 << 20)
            assert piece, "the browser has ended"
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def look(self, width: int, *, scheme: str = "light", language: str = "en-US") -> None:
        """Set the window's width (pixels), the color scheme and the language."""
        is_phone = width < 600
        size = {"width": width, "height": 900, "deviceScaleFactor": 2, "mobile": is_phone}
        self("Emulation.setDeviceMetricsOverride", **size)
        self("Emulation.setTouchEmulationEnabled", enabled=is_phone)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self("Emulation.setEmulatedMedia", features=features)
        agent = self("Browser.getVersion")["userAgent"]
        self("Network.setUserAgentOverride", userAgent=agent, acceptLanguage=language)

    def open(self, url: str) -> None:
        """Open a page."""
        self("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of an expression."""
        found = self("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait_for(self, condition: str, seconds: float = 20) -> None:
        """Wait until an expression is true."""
        until = time.monotonic() + seconds
        while not self.run(condition):
            assert time.monotonic() < until, f"not within {seconds} s: {condition}"
            time.sleep(0.05)

    def choose(self, selector: str, files: Sequence[Path]) -> None:
        """Choose files in an input."""
        root = self("DOM.getDocument")["root"]["nodeId"]
        node = self("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self("DOM.setFileInputFiles", nodeId=node, files=[str(file) for file in files])

    def drop(self, x: int, y: int, files: Sequence[Path]) -> None:
        """Drag files over a point and drop them there."""
        data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)

    def colors(self) -> tuple[int, int]:
        """The page's background and its text: the sum of red, green and blue of each."""
        script = "['backgroundColor', 'color'].map((n) => getComputedStyle(document.body)[n])"
        paper, ink = (sum(map(int, re.findall(r"\d+", color))) for color in self.run(script))
        return paper, ink

    def requests(self) -> list[str]:
        """The addresses that were asked for."""
        return [one["request"]["url"] for one in self._reported("Network.requestWillBeSent")]

    def complaints(self) -> list[str]:
        """What the console got: errors, warnings, refused requests."""
        kinds = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return [json.dumps(one) for one in self._reported(*kinds)]

    def _reported(self, *methods: str) -> list[dict[str, Any]]:
        self.run("0")  # whose answer comes after all events up to now
        return [one["params"] for one in self.events if one["method"] in methods]


@contextmanager
def chromium(profile: Path) -> Iterator[Tab]:
    """Run the browser with a fresh profile; the test is skipped if it is missing."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium on this machine")
    commands_out, commands_in = os.pipe()
    events_out, events_in = os.pipe()
    # The browser reads descriptor 3 and writes descriptor 4.
    shell = f'exec {program} "$@" 3<&{commands_out} 4>&{events_in}'
    command = ["bash", "-c", shell, "-", *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    running = subprocess.Popen(
        command, pass_fds=(commands_out, events_in), stderr=subprocess.DEVNULL
    )
    os.close(commands_out)
    os.close(events_in)
    try:
        yield Tab(commands_in, events_out)
    finally:
        running.kill()
        running.wait()
        os.close(commands_in)
        os.close(events_out)
