"""Measure fmnist and its peers on the official data, and write docs/comparison.md.

    python -m benchmarks.peers --work FOLDER [--no-page | --only-page] [NAME ...]

Measures the named contestants (all of them without names), each beside a fresh run of the
baseline, and keeps what it finds in FOLDER, so that it can be done in several calls; then writes
the page from all that is there. FOLDER also holds the peers' environments and the pictures, about
1.5 GB. The packages come from the index that pip is set up for; nothing is pretrained.
"""

import argparse
import datetime
from pathlib import Path
from typing import Final

from benchmarks.peers import environment, libraries, ours, page, pictures, yolo
from benchmarks.peers.contestant import Contestant, Places
from benchmarks.peers.measuring import Result, measure
from benchmarks.quiet import Watch
from fmnist_cli.data import download

CONTESTANTS: Final = {
    contestant.name: contestant
    for contestant in (*ours.CONTESTANTS, *libraries.CONTESTANTS, *yolo.CONTESTANTS)
}
PAGE: Final = Path(__file__).parents[2] / "docs" / "comparison.md"


def run(contestant: Contestant, work: Path, places: Places) -> Result:
    """Measure the baseline, then the contestant. Raises SystemExit where others disturbed it."""
    programs = environment.ours()
    if contestant.requirements is not None:
        name = Path(contestant.requirements).stem
        programs = environment.make(work / "environments" / name, contestant.requirements)
    installed = environment.inspect(programs, contestant.distribution)
    with Watch() as watch:
        baseline = measure(ours.BASELINE, environment.ours(), places)
        measured = measure(contestant, programs, places)
    if not watch.is_quiet:
        raise SystemExit(
            f"{contestant.name}: {baseline}\n{measured}\n"
            f"other processes took {watch.taken:.0%} of the cores, so this is not kept; try again"
        )
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return Result(measured, baseline, installed, today)


def main() -> None:
    """Measure what is asked for and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CONTESTANTS))
    parser.add_argument(
        "--work", type=Path, required=True, help="folder that is kept between calls"
    )
    parser.add_argument("--no-page", action="store_true", help="measure only")
    parser.add_argument("--only-page", action="store_true", help="write what was measured")
    options = parser.parse_args()
    work: Path = options.work.resolve()
    if unknown := set(options.names) - set(CONTESTANTS):
        parser.error(f"no contestant is called {', '.join(unknown)}; {', '.join(CONTESTANTS)}")
    results = work / "results"
    places = Places(
        pngs=str(pictures.write_pngs(work / "pngs")),
        torchvision=str(pictures.lay_out_for_torchvision(work / "torchvision")),
        files=str(download.default_folder()),
    )
    for name in () if options.only_page else options.names or CONTESTANTS:
        result = run(CONTESTANTS[name], work, places)
        result.save(results / f"{name}.json")
        found = result.measured
        accuracy = "" if found.accuracy is None else f", accuracy {found.accuracy:.4f}"
        print(
            f"{name}: {found.images_per_second:,.0f} images/s, the baseline "
            f"{result.baseline.images_per_second:,.0f}: {result.ratio:.1f} times; "
            f"{found.seconds:.1f} s in all{accuracy}",
            flush=True,
        )
    if options.no_page:
        return
    kept = {
        contestant: Result.load(results / f"{name}.json")
        for name, contestant in CONTESTANTS.items()
        if (results / f"{name}.json").exists()
    }
    programs = environment.make(work / "environments" / "timm", "timm.txt")
    pretrained = environment.evaluate(programs, "timm", "len(timm.list_pretrained())")
    PAGE.write_text(page.render(kept, int(pretrained)), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
