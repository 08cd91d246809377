"""docs/comparison.md from what was measured."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.harness import machine
from benchmarks.markdown import table
from benchmarks.peers.contestant import SHOWN, Contestant
from benchmarks.peers.measuring import Result
from fmnist_cli.devices import usable_cores

ROOT: Final = Path(__file__).parents[2]

TEMPLATE: Final = Path(__file__).with_suffix(".md")


def render(results: Mapping[Contestant, Result], timm_pretrained: int) -> str:
    """The page. Contestants come in the order given."""
    dates = sorted({result.date for result in results.values()})
    span = " to ".join(dates[:: max(len(dates) - 1, 1)])
    return TEMPLATE.read_text(encoding="utf-8").format(
        where=f"{machine.describe()}, torchvision {version('torchvision')}; {span}.",
        table=table(HEADER, (cells(*pair) for pair in results.items())),
        cores=usable_cores(),
        commands="\n".join(line for pair in results.items() for line in commands(*pair)),
        timm_pretrained=f"{timm_pretrained:,}",
    )


HEADER: Final = (
    "tool",
    "epochs",
    "images/s",
    "baseline, ratio",
    "first step",
    "in all",
    "accuracy",
    "user writes",
    "beside torch",
)


def cells(contestant: Contestant, result: Result) -> list[str]:
    """A contestant's line of the table."""
    found, installed = result.measured, result.installed
    whole = found.accuracy is not None
    return [
        contestant.title,
        str(contestant.epochs) if whole else f"{found.steps} steps",
        f"{found.images_per_second:,.0f}",
        f"{result.baseline.images_per_second:,.0f}, {ratio(result.ratio)}",
        f"{found.start_seconds:.1f} s",
        f"{found.seconds:.0f} s" if whole else "",
        "" if found.accuracy is None else f"{found.accuracy:.2%}",
        contestant.written,
        "nothing"
        if contestant.notebook
        else f"{installed.bytes / 1e6:,.0f} MB, {installed.packages} packages",
    ]


def ratio(times: float) -> str:
    """How much faster the baseline is."""
    return f"{times:.1f}×" if times < 10 else f"{times:.0f}×"


def commands(contestant: Contestant, result: Result) -> list[str]:
    """What was typed, as a list entry of the page."""
    installed = result.installed
    typed = [" ".join(shown(word) for word in words) for words in contestant.typed(SHOWN)]
    about = (
        f"- {contestant.title}: {contestant.distribution} {installed.version}, "
        f"{installed.license}; after {link(contestant.source)}."
    )
    return [about, *(f"  `{line}`" for line in typed)]


def shown(word: str) -> str:
    """A path inside the repository as it reads from its root."""
    path = Path(word)
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else word


def link(source: str) -> str:
    """A documentation's address, or a file of ours, as the page links to it."""
    if source.startswith("https://"):
        return f"<{source}>"
    return f"[{source}](../{source})"
