"""Draw the README's pictures from what the program itself prints.

    python -m benchmarks.pictures

Writes docs/pictures/terminal.svg: two commands with the model that comes with the program, on the
official test split. With Chromium on the path also report.png: the page of `evaluate --report`.
"""

import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parents[1] / "docs" / "pictures"
PROGRAM = Path(sys.executable).with_name("fmnist")
COLUMNS = 92
COMMANDS = ("evaluate pretrained", "show --errors pretrained -n 3")
PAGE_SIZE = (1100, 1500)


def on_terminal(command: str) -> str:
    """What a command prints on a terminal of colours, without its signs of life."""
    parent, child = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environment["COLUMNS"] = str(COLUMNS)
    running = subprocess.Popen(
        [PROGRAM, *command.split()], stdout=child, stderr=subprocess.DEVNULL, env=environment
    )
    os.close(child)
    printed = b""
    while True:
        try:
            part = os.read(parent, 65536)
        except OSError:  # Linux's word for the end of a pseudo-terminal
            break
        if not part:
            break
        printed += part
    os.close(parent)
    if running.wait():
        raise SystemExit(f"fmnist {command} failed")
    return printed.decode().replace("\r\n", "\n")


def draw_terminal(path: Path) -> None:
    """Draw the commands and their answers as one picture, without fonts from elsewhere."""
    with Path(os.devnull).open("w") as nowhere:
        screen = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        for command in COMMANDS:
            screen.print(Text(f"$ fmnist {command}", style="bold green"))
            screen.print(Text.from_ansi(on_terminal(command)), soft_wrap=True)
    picture = screen.export_svg(title="fmnist")
    picture = re.sub(r"@font-face \{.*?\}\n|<!-- Generated .*?-->", "", picture, flags=re.DOTALL)
    picture = picture.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")
    path.write_text(picture, encoding="utf-8")


def draw_report(path: Path, browser: str) -> None:
    """Take a picture of the top of the HTML page."""
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "report.html"
        subprocess.run(
            [PROGRAM, "evaluate", "-q", "pretrained", "--report", page],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        width, height = PAGE_SIZE
        subprocess.run(
            [
                *(browser, "--headless", "--no-sandbox", "--hide-scrollbars"),
                *(f"--screenshot={path}", f"--window-size={width},{height}", page.as_uri()),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # it complains of every service that a server lacks
        )


def main() -> None:
    """Draw what can be drawn here."""
    draw_terminal(HERE / "terminal.svg")
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser:
        draw_report(HERE / "report.png", browser)


if __name__ == "__main__":
    main()
