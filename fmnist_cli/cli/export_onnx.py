"""`fmnist export-onnx`: a model as one ONNX file."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fmnist_cli.cli import console, options
from fmnist_cli.inference.onnx_contract import DEFAULT_OPSET, OPSETS, RUNTIMES
from fmnist_cli.pretrained import FILE as PRETRAINED_FILE


def export_onnx(
    *,
    model: options.ModelArgument = options.DEFAULT_MODEL,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The file to write.",
            show_default="MODEL with .onnx",
        ),
    ] = None,
    verify: Annotated[
        int,
        typer.Option(metavar="N", min=1, help="Images on which torch and ONNX must agree."),
    ] = 1_000,
    model_options: options.ModelOptions,
    opset: Annotated[
        int,
        typer.Option(
            metavar="N", min=OPSETS[0], max=OPSETS[-1], help="Version of the ONNX operators."
        ),
    ] = DEFAULT_OPSET,
    quantize: Annotated[
        Literal["none", "int8"],
        typer.Option(help="Arithmetic of the file; int8 is calibrated."),
    ] = "none",
    logits: Annotated[bool, typer.Option("--logits", help="Add the output 'logits'.")] = False,
    tta: options.TtaOption = False,
    data_dir: options.DataDirOption = None,
    format_: options.TableOrJson = "table",
) -> None:
    """Write a model as one self-contained ONNX file.

    It is checked against torch before it appears. Input: images, uint8 [N, 28, 28].
    Outputs: probabilities, float32 [N, K]; label, int64 [N].
    """
    from fmnist_cli.export.onnx_file import export

    # Next to the model, but never into the installed program.
    folder = Path() if model == PRETRAINED_FILE else model.parent
    exported = export(
        model,
        output or folder / model.with_suffix(".onnx").name,
        **model_options.as_arguments(),
        opset=opset,
        verify=verify,
        logits=logits,
        tta=tta,
        int8=quantize == "int8",
        data_dir=data_dir,
    )
    if exported.assumed:
        console.note(exported.assumed)
    parity = exported.parity
    console.note(
        f"agrees with torch on {parity.images:,} images ({parity.source}): "
        f"probabilities within {parity.max_difference:.1g}"
    )
    if opset != DEFAULT_OPSET:
        console.note(f"opset {opset} needs ONNX Runtime {RUNTIMES[opset]} or newer")
    if exported.quantization is not None:
        for line in exported.quantization.summary():
            console.note(line)
        for line in exported.quantization.warnings():
            console.warn(line)
    if format_ == "json":
        console.print_json(exported.card())
    else:
        console.result(exported.path)
