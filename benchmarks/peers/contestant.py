"""What a tool is asked to do, and what is kept of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TRAIN_IMAGES: Final = 60_000
PROGRAMS: Final = Path(__file__).with_name("programs")
REQUIREMENTS: Final = Path(__file__).with_name("requirements")


@dataclass(frozen=True, slots=True)
class Places:
    """Where a command's words point; `{name}` in a command stands for each."""

    pngs: str
    """Folder of PNG files: train/CLASS/*.png and test/CLASS/*.png."""
    torchvision: str
    """Folder that torchvision's FashionMNIST reads."""
    files: str
    """Folder of the four official files."""


SHOWN: Final = Places("PICTURES", "DATA", "FILES")
"""How the page writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One row of the comparison."""

    name: str
    """Its word on the command line of this benchmark."""
    title: str
    """Its cell in the table."""
    distribution: str
    """What is installed, by its name in the package index."""
    commands: tuple[str, ...]
    """What is typed, in order; the last one's output is given to `accuracy`."""
    epochs: int
    batch_size: int
    read_accuracy: Callable[[Path, str], float]
    """From its working folder and what the last command printed, a share of the test split."""
    source: str
    """Address of the documentation that its commands follow."""
    later_images: int | None = None
    """Images of each epoch but the first, where they are fewer."""
    max_steps: int | None = None
    """Where an epoch takes too long: steps after which it is stopped, without an accuracy."""
    requirements: str | None = None
    """Its pinned environment, a file of `requirements/`; without one it runs in ours."""
    program: Path | None = None
    """What its user writes, where commands alone do not do."""
    notebook: bool = False
    """Whether what its user writes is a notebook, which nobody counts the lines of."""
    stdin: str = ""
    environment: tuple[tuple[str, str], ...] = ()

    def typed(self, places: Places) -> list[list[str]]:
        """The commands as words."""
        names = {field: getattr(places, field) for field in Places.__slots__}
        return [[word.format(**names) for word in command.split()] for command in self.commands]

    @property
    def images(self) -> int:
        """Training images of an epoch, as far as it gets."""
        return TRAIN_IMAGES if self.max_steps is None else self.max_steps * self.batch_size

    @property
    def written(self) -> str:
        """What its user writes, for the table."""
        if self.notebook:
            return "a notebook"
        if self.program is not None:
            return f"{count_code(self.program.read_text(encoding='utf-8'))} lines"
        return f"{len(self.commands)} command{'s' if len(self.commands) > 1 else ''}"


def count_code(source: str) -> int:
    """Lines of a Python source without blank ones, comments and the module's docstring."""
    body = re.sub(r'^""".*?"""', "", source, count=1, flags=re.DOTALL)
    lines = (line.strip() for line in body.splitlines())
    return sum(bool(line) and not line.startswith("#") for line in lines)


def last_number(_folder: Path, output: str) -> float:
    """The accuracy where a program prints it as its last line."""
    return float(output.split()[-1])
