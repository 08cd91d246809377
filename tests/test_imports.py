"""The walls between the packages: no upward import, no cycle, and one place for the terminal."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAYERS = (
    *("constants", "errors", "files", "devices", "pretrained", "photos", "data", "models"),
    *("checkpoints", "inference", "training", "runs", "export", "evaluation", "serve"),
    "cli",
)
FILES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for file in (ROOT / "fmnist_cli").rglob("*.py")
}


def imports(module: str) -> set[str]:
    """All modules that a module imports, inside functions and for type checking too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= submodules & FILES.keys() or {node.module}
    return found


def test_a_package_imports_only_packages_before_it() -> None:
    layer = {f"fmnist_cli.{name}": position for position, name in enumerate(LAYERS)}
    upward = [
        f"{module} imports {target}"
        for module in FILES
        for target in imports(module)
        if (here := layer.get(".".join(module.split(".")[:2]))) is not None
        and layer.get(".".join(target.split(".")[:2]), -1) > here
    ]
    assert not upward


def test_no_module_imports_itself_through_others() -> None:
    TopologicalSorter({module: imports(module) & FILES.keys() for module in FILES}).prepare()


def test_only_the_command_line_imports_typer_and_rich() -> None:
    users = {
        module for module in FILES if {"typer", "rich"} & {t.split(".")[0] for t in imports(module)}
    }
    assert users
    assert all(module.startswith("fmnist_cli.cli.") for module in users)
