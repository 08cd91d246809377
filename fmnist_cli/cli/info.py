"""`fmnist info`: describe a model, data or this machine."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from fmnist_cli.cli import console, options
from fmnist_cli.cli.evaluated_data import fetch
from fmnist_cli.cli.loading import NOTHING_TOLD, ModelOptions, load_model, takes_model_options
from fmnist_cli.cli.tables import show_facts, show_table
from fmnist_cli.constants import CLASS_NAMES
from fmnist_cli.data.class_names import imbalance
from fmnist_cli.pretrained import NAME as PRETRAINED
from fmnist_cli.pretrained import locate

if TYPE_CHECKING:
    from fmnist_cli.evaluation.dataset_stats import DatasetStats

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


@takes_model_options
def info(
    target: TargetArgument = None,
    test_data: options.TestDataOption = None,
    data_dir: options.DataDirOption = None,
    mirror: options.MirrorOption = None,
    model_options: ModelOptions = NOTHING_TOLD,
    format_: options.TableOrJson = "table",
) -> None:
    """Describe a model, data or, by default, this machine."""
    if target is None:
        _machine(format_)
    elif _NETWORK.fullmatch(target):
        from fmnist_cli.data.class_names import split_classes
        from fmnist_cli.evaluation.description import describe_network

        names = split_classes(model_options.classes) or CLASS_NAMES
        _describe(describe_network(target, len(names)), format_)
    elif target == PRETRAINED or _is_model(Path(target)):
        from fmnist_cli.evaluation.description import describe_model

        classifier = load_model(locate(target), model_options, device="cpu")
        _describe(describe_model(classifier), format_)
    else:
        from fmnist_cli.data.class_names import split_classes
        from fmnist_cli.data.sources import open_source
        from fmnist_cli.evaluation.dataset_stats import dataset_stats

        source = open_source(
            target,
            test_data=test_data,
            data_dir=data_dir,
            mirrors=mirror or (),
            classes=split_classes(model_options.classes),
        )
        fetch(source, "train")
        fetch(source, "test")
        _data(dataset_stats(source), format_)


def _is_model(path: Path) -> bool:
    """Whether a name means a model; data is a name, a directory or a file of images."""
    return path.suffix.lower() in (".pt", ".onnx") or (
        path.is_file() and path.suffix.lower() not in _DATA_SUFFIXES
    )


def _machine(format_: str) -> None:
    from fmnist_cli.evaluation.description import describe_machine

    machine = describe_machine()
    if format_ == "json":
        console.print_json(machine)
        return
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


def _describe(model: dict[str, Any], format_: str) -> None:
    from fmnist_cli.evaluation.description import as_text

    if format_ == "json":
        console.print_json(model)
        return
    layers = model.pop("layers")
    show_facts([(name.replace("_", " "), as_text(value)) for name, value in model.items()])
    if layers:
        console.result("")
        rows = [
            [each["name"], each["type"], each["output"], f"{each['parameters']:,}"]
            for each in layers
        ]
        show_table(("layer", "type", "output", "parameters"), rows, text_columns=3)


def _data(stats: "DatasetStats", format_: str) -> None:
    if format_ == "json":
        console.print_json(asdict(stats))
        return
    splits = stats.splits
    origin = " (sample in the package)" if stats.is_sample else ""
    show_facts([("data", stats.data + origin), ("kind", stats.kind)])
    console.result("")
    rows = [
        ["images", *(f"{split.n:,}" for split in splits.values())],
        *(
            [name, *(f"{split.counts[name]:,}" for split in splits.values())]
            for name in splits["train"].counts
        ),
        ["mean", *(f"{split.mean:.4f}" for split in splits.values())],
        ["std", *(f"{split.std:.4f}" for split in splits.values())],
        ["exact duplicates", *(f"{split.duplicates:,}" for split in splits.values())],
        *(
            [
                f"also in official {official}",
                *(_count(split.in_official[official]) for split in splits.values()),
            ]
            for official in ("train", "test")
        ),
        ["fingerprint", *(split.fingerprint for split in splits.values())],
    ]
    show_table(["", *splits], rows)
    told = imbalance(splits["train"].counts)
    if told is not None:
        console.note(told)
    if stats.shared is not None:
        console.result("")
        show_facts([("test images also in train", f"{stats.shared:,}")])


def _count(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"
