"""Commands that make problem files: ``import`` from other sources, ``new`` from a starter, ``schema`` for editors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from derive.cli.words import one_of, require_text
from derive.errors import ProblemError
from derive.problem.starters import about, starter, starter_names

LOSSES = {
    "mse": "MSELoss",
    "squared-error": "SquaredError",
    "l1": "L1Loss",
    "cross-entropy": "CrossEntropyLoss",
    "bce": "BCELoss",
    "bce-with-logits": "BCEWithLogitsLoss",
}
PICKLED = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".safetensors", ".h5", ".keras")


@click.command("import")
@click.argument("file")
@click.option("--out", metavar="FILE", help="The problem file to write.  [default: print it]")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--function", metavar="NAME", default="forward", show_default=True, help="Of a .py file: what to read.")
@click.option("--input", "inputs", metavar="NAME=VALUES", multiple=True, help='"x=1,4,5" or "x=[[1,2],[3,4]]".')
@click.option("--parameters", metavar="NAMES", help="Of a .py file: what is trained, with commas.")
@click.option("--output", metavar="NAME", help="Of an .onnx file with several outputs: which one.")
@click.option("--loss", metavar="LOSS", help=f"Of an .onnx file, behind its output: of {', '.join(LOSSES)}.")
@click.option("--target", metavar="VALUES", help="What the loss compares with.")
@click.option("--transpose", is_flag=True, help="Store weights that are used as W.T the other way round.")
@click.option("--exact", is_flag=True, help="Single-precision numbers to their last binary digit.")
def import_(
    file: str,
    out: str | None,
    force: bool,
    function: str,
    inputs: tuple[str, ...],
    parameters: str | None,
    output: str | None,
    loss: str | None,
    target: str | None,
    transpose: bool,
    exact: bool,
) -> None:
    """Make a problem file of an ONNX model, or of a forward function in NumPy source.

    FILE ends in .onnx or .py; source is read, never run. A PyTorch module is imported from Python: see
    derive.from_torch.
    """
    require_text(file, "the file")
    suffix = Path(file).suffix.lower()
    given = dict(_named(word) for word in inputs)
    if suffix == ".py":
        refuse(
            {"--output": output, "--loss": loss, "--target": target, "--transpose": transpose, "--exact": exact}, suffix
        )
        from derive.problem.sources.numpy_source import from_numpy

        wanted = [word.strip() for word in parameters.split(",")] if parameters is not None else None
        problem = from_numpy(Path(file), function, given=given, parameters=wanted)
    elif suffix == ".onnx":
        refuse({"--parameters": parameters, "--function": None if function == "forward" else function}, suffix)
        from derive.problem.sources import losses
        from derive.problem.sources.onnx_file import from_onnx

        made = None
        if loss is not None:
            one_of(loss, tuple(LOSSES), what="the loss")
            made = getattr(losses, LOSSES[loss])()
        problem = from_onnx(
            file, given or None, None if target is None else values(target, "--target"), loss=made, output=output,
            transpose=transpose, exact=exact,
        )  # fmt: skip
    elif suffix in PICKLED:
        raise ProblemError(
            f"{file} holds weights, not a network, and may run code when it is opened",
            hint="from Python: derive.from_torch(module, sample), or export the module to ONNX",
        )
    else:
        raise ProblemError(f"{file} is no file that can be imported", hint="what ends in .onnx or .py")
    deliver(problem.to_toml(), out, force)


def refuse(options: dict[str, Any], suffix: str) -> None:
    """Raise a usage error for options that say nothing for a file of this kind."""
    for name, value in options.items():
        if value:
            raise click.UsageError(f"{name} says nothing for a {suffix} file")


def _named(word: str) -> tuple[str, Any]:
    name, sign, written = word.partition("=")
    if not sign or not name.strip():
        raise click.UsageError(f"--input {word}: expected is NAME=VALUES, such as x=1,4,5")
    return name.strip(), values(written, f"--input {name.strip()}")


def values(written: str, what: str) -> Any:
    """Numbers of the command line: ``1,4,5`` or nested lists in brackets, each decimal exact."""
    from derive.problem.toml import Source

    text = written.strip()
    try:
        return Source(f"v = {text if text.startswith('[') else f'[{text}]'}\n").tables["v"]
    except (ProblemError, KeyError):
        raise ProblemError(f"{what} is {written[:60]!r}", hint="numbers with commas: 1,4,5 or [[1,2],[3,4]]") from None


class Kinds(click.Command):
    """Help that ends with the kinds."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the kinds, each with what it is."""
        with formatter.section("Kinds"):
            formatter.write_dl([(kind, about(kind)) for kind in starter_names()])


@click.command("new", cls=Kinds)
@click.argument("kind", metavar="KIND")
@click.option("--out", metavar="FILE", help="The file to write.  [default: KIND.toml]")
def new(kind: str, out: str | None) -> None:
    """Write a commented problem file to start from. No file is written over."""
    require_text(kind, "the kind")
    deliver(starter(kind), f"{kind}.toml" if out is None else out, force=False)


@click.command("schema")
@click.option("--out", metavar="FILE", help="The file to write.  [default: print it]")
def schema(out: str | None) -> None:
    """The JSON Schema of problem files, for editors that complete and check TOML.

    In the file's first line, "#:schema problem.schema.json" tells the editor where it lies.
    """
    import json

    from derive.problem.schema import schema as made

    deliver(json.dumps(made(), indent=1, ensure_ascii=False) + "\n", out, force=str(out).endswith(".json"))


def deliver(text: str, out: str | None, force: bool) -> None:
    """Print a text, or write it into a file, whole or not at all. Raises ``ProblemError`` for one that is there."""
    if out is None:
        click.echo(text, nl=False)
        return
    require_text(out, "the file of --out")
    if os.path.lexists(out) and not force:
        raise ProblemError(f"{out} is there already, and nothing is written over it", hint="--out says another name")
    from derive.report.write import write_files

    write_files({Path(out): text.encode("utf-8")})
    click.echo(out)
