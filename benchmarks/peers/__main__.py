"""Measure fmnist and its peers on the official data, and write docs/comparison.md.

    python -m benchmarks.peers --work FOLDER [--no-page | --only-page] [NAME ...]

Measures the named contestants (without names: all), each beside a fresh run of the baseline, and
keeps the results in FOLDER, so that several calls can share the work; then writes the page. FOLDER
also holds the peers' environments and the pictures, about 1.5 GB. The packages come from the index
that pip is configured for; nothing is pretrained.
"""

import statistics
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from PIL import Image

from benchmarks import machine
from benchmarks.peers.measuring import ROOT, Contestant, contestants, environment, measure
from benchmarks.program import Kept, lay_out_for_torchvision, official, timed
from benchmarks.report import table
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.devices import usable_cores

CONTESTANTS: Final = contestants()
BASELINE: Final = CONTESTANTS.pop("baseline")
PAGE: Final = ROOT / "docs" / "comparison.md"
MEASURED: Final = ("seconds", "start_seconds", "images_per_second", "steps")
HEADER: Final = (
    *("tool", "n", "epochs", "images/s", "baseline, ratio", "first step", "total", "accuracy"),
    *("user writes", "added to torch"),
)


def main(
    work: Annotated[Path, typer.Option()],
    names: Annotated[list[str] | None, typer.Argument()] = None,
    no_page: bool = False,
    only_page: bool = False,
) -> None:
    """Measure the named contestants, or all, and write the page."""
    work = work.resolve()
    kept = Kept(work / "results.json")
    chosen = {} if only_page else {name: CONTESTANTS[name] for name in names or CONTESTANTS}
    for name, contestant in chosen.items():
        kept.keep(name, contest(contestant, work))
        print(name, kept.found[name]["measured"], flush=True)
    if not no_page:
        python = environment(work / "environments", CONTESTANTS["timm"]) / "python"
        count = timed(python, "-c", "import timm; print(len(timm.list_pretrained()))").stdout
        PAGE.write_text(render(kept.found, int(count)), encoding="utf-8")
        print(PAGE)


def contest(contestant: Contestant, work: Path) -> dict[str, Any]:
    """Measure the baseline and the contestant by turns, in as many rounds as it has.

    Raises SystemExit if other processes disturbed.
    """
    programs = environment(work / "environments", contestant)
    places = {
        "benchmarks/": f"{ROOT}/benchmarks/",
        "PICTURES": str(write_pngs(work / "pngs")),
        "DATA": str(lay_out_for_torchvision(work / "torchvision")),
    }
    baseline, measured = [], []
    taken = machine.watch()
    for seed in range(contestant.rounds):
        places["SEED"] = str(seed)
        baseline.append(measure(BASELINE, environment(work, BASELINE), places))
        measured.append(measure(contestant, programs, places))
    if taken() > machine.MAX_TAKEN:
        print(*baseline, *measured, sep="\n")
        raise SystemExit(f"not kept: other processes used {taken():.0%} of the cores; try again")
    installed = Path(__file__).with_name("installed.py")
    return {
        "measured": summarize(measured),
        "baseline": summarize(baseline),
        "installed": timed(programs / "python", installed, contestant.distribution).document,
        "date": datetime.now(UTC).date().isoformat(),
    }


def summarize(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians of the times and the mean accuracy."""
    accuracies = [one["accuracy"] for one in rounds]
    return {
        **{name: statistics.median(one[name] for one in rounds) for name in MEASURED},
        "accuracy": None if None in accuracies else statistics.fmean(accuracies),
        "n": len(rounds),
    }


def write_pngs(folder: Path) -> Path:
    """Write the official splits as `folder/train/CLASS/NUMBER.png` and `folder/test/…`, once."""
    done = folder / "complete"
    for split in () if done.exists() else ("train", "test"):
        data = official(split)
        names = [name.lower().replace("/", "-").replace(" ", "-") for name in CLASS_NAMES]
        for number, (image, label) in enumerate(zip(data.images, data.labels, strict=True)):
            # In sorted order a folder's position is its label.
            path = folder / split / f"{label}-{names[label]}" / f"{number:05}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
    done.touch()
    return folder


def render(found: dict[str, dict[str, Any]], timm_pretrained: int) -> str:
    """The page, from the results by contestant."""
    results = [(each, found[name]) for name, each in CONTESTANTS.items() if name in found]
    dates = sorted({result["date"] for _, result in results})
    span = " to ".join(dates[:: max(len(dates) - 1, 1)])
    template = Path(__file__).with_name("page.md").read_text(encoding="utf-8")
    return template.format(
        where=f"{machine.describe()}, torchvision {version('torchvision')}; {span}.",
        table=table(HEADER, (_cells(*pair) for pair in results)),
        cores=usable_cores(),
        commands="\n".join(line for pair in results for line in _commands(*pair)),
        timm_pretrained=f"{timm_pretrained:,}",
    )


def _cells(contestant: Contestant, result: dict[str, Any]) -> list[str]:
    measured, installed = result["measured"], result["installed"]
    whole = measured["accuracy"] is not None
    rate, baseline = measured["images_per_second"], result["baseline"]["images_per_second"]
    ratio = baseline / rate
    return [
        contestant.title,
        str(measured["n"]),
        str(contestant.epochs) if whole else f"{measured['steps']} steps",
        f"{rate:,.0f}",
        f"{baseline:,.0f}, {ratio:.{1 if ratio < 10 else 0}f}×",
        f"{measured['start_seconds']:.1f} s",
        f"{measured['seconds']:.0f} s" if whole else "",
        f"{measured['accuracy']:.2%}" if whole else "",
        contestant.written,
        "nothing"
        if contestant.distribution == "torchvision"
        else f"{installed['bytes'] / 1e6:,.0f} MB, {installed['packages']} packages",
    ]


def _commands(contestant: Contestant, result: dict[str, Any]) -> Iterator[str]:
    """What was typed, as a list entry of the page."""
    installed, source = result["installed"], contestant.source
    link = f"<{source}>" if source.startswith("https://") else f"[{source}](../{source})"
    yield (
        f"- {contestant.title}: {contestant.distribution} {installed['version']}, "
        f"{installed['license']}; based on {link}."
    )
    yield from (f"  `{command}`" for command in contestant.commands)


if __name__ == "__main__":
    typer.run(main)
