"""`fmnist info`: describe a model, data or this machine."""

import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from fmnist_cli.cli import console, options
from fmnist_cli.cli.models_and_data import fetch, load_model
from fmnist_cli.cli.tables import show_facts, show_table
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.class_names import imbalance, split_classes
from fmnist_cli.pretrained import NAME as PRETRAINED
from fmnist_cli.pretrained import locate

_NETWORK: Final = re.compile(r".+\.py:\w+")
_DATA_SUFFIXES: Final = (".csv", ".gz", ".npz", ".parquet", ".zip")

TargetArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="MODEL|DATA|NETWORK",
        help=f"A model file, {PRETRAINED}, a network FILE.py:CLASS, or data as --data names it.",
        show_default="this machine",
    ),
]


def info(
    *,
    target: TargetArgument = None,
    places: options.DataPlaces,
    model_options: options.ModelOptions,
    format_: options.TableOrJson = "table",
) -> None:
    """Describe a model, data or, by default, this machine."""
    from fmnist_cli.evaluation import description

    classes = split_classes(model_options.classes)
    show: Callable[[dict[str, Any]], None]
    if target is None:
        facts, show = description.describe_machine(), _show_machine
    elif _NETWORK.fullmatch(target):
        facts = description.describe_network(target, len(classes or CLASS_NAMES))
        show = _show_model
    elif target == PRETRAINED or _is_model(Path(target)):
        classifier = load_model(locate(target), model_options, device="cpu")
        facts, show = description.describe_model(classifier), _show_model
    else:
        from fmnist_cli.data.sources import open_source
        from fmnist_cli.evaluation.dataset_stats import dataset_stats

        source = open_source(target, **places.as_arguments(), classes=classes)
        fetch(source, "train")
        fetch(source, "test")
        facts, show = asdict(dataset_stats(source)), _show_data
    if format_ == "json":
        console.print_json(facts)
    else:
        show(facts)


def _is_model(path: Path) -> bool:
    """Whether a name means a model; data is a name, a directory or a file of images."""
    return path.suffix.lower() in (".pt", ".onnx") or (
        path.is_file() and path.suffix.lower() not in _DATA_SUFFIXES
    )


def _show_machine(machine: dict[str, Any]) -> None:
    facts = [(name, machine[name]) for name in ("fmnist", "python", "platform", "executable")]
    for position, device in enumerate(machine["devices"]):
        memory = device["memory_bytes"]
        text = device["description"] + (f", {memory / 2**30:.1f} GiB" if memory else "")
        text += f"; {', '.join(device['precisions'])} (auto: {device['auto_precision']})"
        facts.append(
            (f"device {device['name']}", text + ("" if position else ", selected by auto"))
        )
    facts.append(
        ("ONNX Runtime providers", ", ".join(machine["onnxruntime_providers"]) or "not installed")
    )
    facts += [(name, version or "not installed") for name, version in machine["packages"].items()]
    show_facts(facts)


def _show_model(model: dict[str, Any]) -> None:
    from fmnist_cli.evaluation.description import as_text

    layers = model.pop("layers")
    show_facts([(name.replace("_", " "), as_text(value)) for name, value in model.items()])
    if layers:
        console.result("")
        rows = [
            [each["name"], each["type"], each["output"], f"{each['parameters']:,}"]
            for each in layers
        ]
        show_table(("layer", "type", "output", "parameters"), rows, text_columns=3)


def _show_data(stats: dict[str, Any]) -> None:
    splits = stats["splits"]
    origin = " (sample in the package)" if stats["is_sample"] else ""
    show_facts([("data", stats["data"] + origin), ("kind", stats["kind"])])
    console.result("")
    counts = splits["train"]["counts"]
    official = [f"also in official {name}" for name in ("train", "test")]
    names = ["images", *counts, "mean", "std", "exact duplicates", *official, "fingerprint"]
    columns = [
        [
            f"{split['n']:,}",
            *(f"{split['counts'][name]:,}" for name in counts),
            *(f"{split['mean']:.4f}", f"{split['std']:.4f}", f"{split['duplicates']:,}"),
            *("unknown" if n is None else f"{n:,}" for n in split["in_official"].values()),
            split["fingerprint"],
        ]
        for split in splits.values()
    ]
    show_table(["", *splits], list(zip(names, *columns, strict=True)))
    if (note := imbalance(counts)) is not None:
        console.note(note)
    if stats["shared"] is not None:
        console.result("")
        show_facts([("test images also in train", f"{stats['shared']:,}")])
