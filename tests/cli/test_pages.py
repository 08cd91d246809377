"""What README and docs tell a reader to type exists."""

import re
from functools import cache
from pathlib import Path

import pytest

from benchmarks import options
from tests.cli.conftest import Program

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "README.zh-CN.md",
    "CONTRIBUTING.md",
    *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))),
]


def commands(page: str) -> list[list[str]]:
    """Every `fmnist …` in a page's code, as words."""
    text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", " ").replace("\\|", "|")
    code = re.findall(r"```(?:sh|console)\n(.*?)```|`([^`\n]+)`", text, re.DOTALL)
    found = []
    for line in "\n".join(block or inline for block, inline in code).splitlines():
        for part in re.split(r"\$\(|\)|\||&&|;", line.partition(" #")[0]):
            words = part.removeprefix("$ ").split()
            names = [place for place, word in enumerate(words) if word in ("fmnist", "fmnist_cli")]
            if names:
                found.append(words[names[0] + 1 :])
    return found


def test_pages_name_commands() -> None:
    assert len(commands("README.md")) > 20


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_options_exist(page: str, fmnist: Program) -> None:
    @cache
    def help_of(command: str) -> str:
        done = fmnist(command, "--help")
        return done.stdout

    for words in commands(page):
        if not words or not words[0].islower() or words[0].startswith("-"):
            continue  # the program itself, or COMMAND as a placeholder
        for word in words[1:]:
            if word.startswith("-") and word != "-":
                option = word.partition("=")[0]
                known = re.findall(r"(?<![\w-])--?[a-z][a-z-]*", help_of(words[0]))
                assert option in known, f"{page}: fmnist {words}"


def test_the_table_of_options_is_up_to_date() -> None:
    page = options.PAGE.read_text(encoding="utf-8")
    assert page == options.updated(page)
    assert "`--label-smoothing SHARE`" in page


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)
    for page in PAGES:
        for target in re.findall(r"`?make ([a-z-]+)`?", (ROOT / page).read_text(encoding="utf-8")):
            assert target in targets, f"{page}: make {target}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert ((ROOT / page).parent / link).exists(), f"{page}: {link}"


def test_the_readmes_predictions_are_what_the_program_prints(fmnist: Program, mirror: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^\$ (fmnist show --split test.*?)```", text, re.DOTALL | re.MULTILINE)
    assert block is not None
    for part in re.split(r"^\$ ", block[1], flags=re.MULTILINE):
        command, _, shown = part.partition("\n")
        words = command.partition(" | ")[0].split()[1:]
        if shown.startswith("class"):  # as on a terminal
            words += ["--format", "table"]
        done = fmnist(*words, env={"FMNIST_DATA_DIR": str(mirror)})
        documented, printed = ("".join(one.split()) for one in (shown, done.stdout))
        assert re.sub(r"[\d.]+", "0", documented) == re.sub(r"[\d.]+", "0", printed)
        # Other processors round otherwise.
        figures = [
            [float(one) for one in re.findall(r"\d+\.\d+", x)] for x in (documented, printed)
        ]
        assert figures[0] == pytest.approx(figures[1], rel=0.005)
