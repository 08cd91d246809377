"""Draw the README's pictures from the program's own output.

    python -m benchmarks.pictures [NAME ...]

Writes all of them, or those that are named, into docs/pictures/:

- training.svg: a run of the `fast` recipe on the official files, during an epoch;
- terminal.svg: two commands with the packaged model, on the official test split;
- report.png: the page of `evaluate --report`, light, by Chromium;
- photos.jpg: photos of the tests, what the finder found, what the packaged model saw and predicted.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from rich.text import Text

from benchmarks.program import PROGRAM, fmnist, scratch, timed
from fmnist_cli import load
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.pictures import decode, draw_steps

HERE = Path(__file__).parents[1] / "docs" / "pictures"
COLUMNS = 92
COLORS = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
TERMINAL = {**os.environ, **COLORS, "COLUMNS": str(COLUMNS)}
"""Environment of the program on a color terminal."""
TRAINING = "train --recipe fast"
NEARLY_DONE = re.compile(r"epoch 6/7 .*00:0[01]")
"""A progress bar with a second to go."""
COMMANDS = ("evaluate pretrained", "show --errors pretrained -n 3")
PAGE_SIZE = (1100, 1500)
MAX_BYTES = 300_000
HALF_BLOCK = "▀"
GARMENTS = Path(__file__).parents[1] / "tests/photos/garments"
PHOTOS = ("dress-flowers", "pullover-blue", "coat-red", "trouser-floor", "shirt-plaid", "sneaker")
GAP = 6


def screen_of(written: str) -> str:
    """The lines on a terminal after some output, colors included.

    Understands what progress bars use: cursor up, carriage return and erasing a line.
    """
    lines, row = [""], 0
    for token in re.split(r"(\x1b\[[0-9;?]*[A-Za-z]|\n|\r)", written):
        if token == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif token == "\x1b[2K":
            lines[row] = ""
        elif up := re.fullmatch(r"\x1b\[(\d*)A", token):
            row = max(0, row - int(up[1] or 1))
        elif token != "\r" and not re.fullmatch(r"\x1b\[[0-9;?]*[A-Zhl]", token):
            lines[row] += token
    return "\n".join(lines)


def draw_training(path: Path) -> None:
    """Draw the screen of a training run during an epoch, on a pseudo-terminal of `script`."""
    command = ["script", "-qefc", f"{PROGRAM} {TRAINING}", os.devnull]
    written = b""
    with (
        scratch() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, env=TERMINAL, cwd=folder) as running,
    ):
        assert running.stdout is not None
        while part := os.read(running.stdout.fileno(), 65536):
            written += part
            screen = screen_of(written.decode(errors="replace"))
            if NEARLY_DONE.search(Text.from_ansi(screen).plain):
                running.terminate()
                draw_terminal(path, [(TRAINING, screen.rstrip())])
                return
    raise SystemExit(f"fmnist {TRAINING} ended before its picture was taken")


def draw_terminal(path: Path, shown: Iterable[tuple[str, str]]) -> None:
    """Draw commands and their output as one picture with the viewer's own fonts."""
    with Path(os.devnull).open("w") as nowhere:
        screen = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        for command, answer in shown:
            screen.print(Text(f"$ fmnist {command}", style="bold green"))
            screen.print(Text.from_ansi(answer), soft_wrap=True)
    picture = screen.export_svg(title="fmnist")
    picture = re.sub(r"@font-face \{.*?\}\n|<!-- Generated .*?-->", "", picture, flags=re.DOTALL)
    picture = picture.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")
    path.write_text(as_areas(picture), encoding="utf-8")


def as_areas(picture: str) -> str:
    """Draw colored cells and half blocks as one area per color: no seams, a quarter of the size."""
    colors = dict(re.findall(r"-(r\d+) \{ fill: (#\w+)", picture))
    grounds: defaultdict[str, str] = defaultdict(str)
    halves: defaultdict[str, str] = defaultdict(str)

    def ground(cell: re.Match[str]) -> str:
        color, *place = cell.groups()
        x, y, width, height = map(float, place)
        grounds[color] += f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z"
        return ""

    def half(cell: re.Match[str]) -> str:
        style, x, y, width, blocks = cell.groups()
        if set(blocks) != {HALF_BLOCK}:
            return cell[0]
        # Rich places text 18.5 below the upper edge of a line's cells, which are 24.4 high.
        place = f"M{float(x):.1f} {float(y) - 18.5:.1f}"
        halves[colors[style]] += f"{place}h{float(width):.1f}v12.2h-{float(width):.1f}z"
        return ""

    cell = r'<rect fill="(#\w+)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"[^>]*>'
    text = (
        r'<text class="[\w-]+-(r\d+)" x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"[^>]*>'
        r"(.*?)</text>"
    )
    picture = re.sub(text, half, re.sub(cell, ground, picture))
    areas = "\n".join(
        f'<path fill="{color}" d="{area}"/>'
        for layer in (grounds, halves)
        for color, area in layer.items()
    )
    matrix = re.search(r'<g class="[\w-]+-matrix">', picture)
    assert matrix is not None
    picture = (
        f"{picture[: matrix.start()]}"
        f'<g shape-rendering="crispEdges">\n{areas}\n</g>\n{picture[matrix.start() :]}'
    )
    used = set(re.findall(r'class="[\w-]+-(r\d+)"', picture))
    rule = re.compile(r"\.[\w-]+-(r\d+) \{[^}]*\}\n")
    picture = rule.sub(lambda found: found[0] if found[1] in used else "", picture)
    return re.sub(r"\n\s*\n+", "\n", picture)


def draw_photos(path: Path) -> None:
    """Draw the steps of some photos, each with its prediction."""
    font = ImageFont.load_default(20)
    columns = []
    for name in PHOTOS:
        steps = draw_steps(GARMENTS / f"{name}.jpg")
        side, width = steps.height, (steps.width - steps.height) // 2
        column = Image.new("RGB", (side + GAP, 3 * (side + GAP) + 28), "white")
        for row, (at, size) in enumerate(((0, width), (width, width), (2 * width, side))):
            part = steps.crop((at, 0, at + size, side))
            column.paste(part, ((side - size) // 2, row * (side + GAP)))
        probabilities = load("pretrained")(decode(GARMENTS / f"{name}.jpg").pixels[None])[0]
        label = int(probabilities.argmax())
        text = f"{CLASS_NAMES[label]}  {probabilities[label]:.0%}"
        left = (side - font.getlength(text)) / 2
        ImageDraw.Draw(column).text((left, column.height - 28), text, "black", font)
        columns.append(np.asarray(column))
    Image.fromarray(np.hstack(columns)[:, :-GAP]).save(path, quality=85)


def draw_report(path: Path) -> None:
    """Take a screenshot of the top of the HTML page. Raises SystemExit without Chromium."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        raise SystemExit("no chromium on this machine: report.png stays as it is")
    width, height = PAGE_SIZE
    with scratch() as folder:
        page, shot = folder / "report.html", folder / "report.png"
        fmnist("evaluate", "-q", "pretrained", "--report", page)
        timed(
            *(browser, "--headless", "--no-sandbox", "--hide-scrollbars"),
            *(f"--screenshot={shot}", f"--window-size={width},{height}", page.as_uri()),
        )
        Image.open(shot).convert("RGB").quantize(128).save(path, optimize=True)


def draw_commands(path: Path) -> None:
    """Draw commands with their output."""
    answers = (timed(PROGRAM, *command.split(), env=TERMINAL).stdout for command in COMMANDS)
    draw_terminal(path, zip(COMMANDS, answers, strict=True))


DRAWN = {
    "training.svg": draw_training,
    "terminal.svg": draw_commands,
    "photos.jpg": draw_photos,
    "report.png": draw_report,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or DRAWN:
        DRAWN[name](HERE / name)
        size = (HERE / name).stat().st_size
        print(f"{name}: {size:,} bytes")
        assert size < MAX_BYTES
