"""The command line: words in, files and a short summary out, and an exit status that a script can read.

0: done; 1: a claim or a mark is not as expected; 2: bad input, with one message and nothing written; 3: a check failed.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from derive import __version__
from derive.aside import Aside
from derive.cli.shown import Rows, ending, files, plainly, results, summarise
from derive.cli.words import FORMATS, by_engine, check_printing, in_language, one_of, require_text, words
from derive.errors import DeriveError, ProblemError, Unsupported

if TYPE_CHECKING:
    from derive.report.document import Document
    from derive.report.setting import Setting

    Press = Aside[Document, dict[str, bytes]]

# Names of commands to come. No built-in problem may be called so; a file still may.
RESERVED = (
    *("batch", "book", "chapter", "diff", "docs", "explain", "export", "help", "key"),
    *("paper", "quiz", "review", "run", "serve", "show", "test", "train"),
    *("translate", "variant", "variants", "verify", "watch"),
)
# Commands of `sources`, and what each is called there: imported when they are asked for.
SOURCES = {"import": "import_", "new": "new", "schema": "schema"}
# Commands with a module of their own, imported when they are asked for.
OWN = ("check", "exam", "lint", "mark")


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Commands(click.Group):
    """Commands, and everything else: ``derive NAME`` and ``derive --json FILE.toml`` mean ``derive solve …``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``solve`` in front of what is neither a command nor a question about the program."""
        if args and args[0] not in (*self.commands, *SOURCES, *OWN, *RESERVED, "--help", "-h", "--version"):
            args = ["solve", *args]
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name. Raises ``Unsupported`` for one that is reserved."""
        if cmd_name in RESERVED:
            from derive.problem.wording import listing

            built = listing((f"`{name}`" for name in self.list_commands(ctx)), "and")
            raise Unsupported(f"the command `{cmd_name}` is not built yet; built are {built}")
        if cmd_name in SOURCES:
            from derive.cli import sources

            found: click.Command = getattr(sources, SOURCES[cmd_name])
            return found
        if cmd_name in OWN:
            from importlib import import_module

            own: click.Command = getattr(import_module(f"derive.cli.{cmd_name}"), cmd_name)
            return own
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands that are built."""
        return sorted([*super().list_commands(ctx), *SOURCES, *OWN])


EXAMPLES = {
    "{case}": "reports/{case}.md, .tex and .pdf",
    "my.toml --format pdf --out notes": "your own problem, one format",
    "my.toml --digits 6 --style matrix": "six decimals, matrix form alone",
    "{case} --significant 3 --decimal comma": "three significant digits, 0,593 in place of 0.593",
    "{case} --questions": "the sheet without the solutions",
    "{case} --detail brief": "the answer key: every formula and its result",
    "{case} --only dE/dW2": "one derivative and what it rests on",
    "{case} --train --until settled": "the update repeated, with a curve of the loss",
    "{case} --json": "all numbers, checks and steps as data",
    "{chapter} --sizes N=3": "a chapter, its written-out case as large as you like",
    "prove matmul": "the rule of the matrix product, proved for all sizes",
    "list": "the built-in problems and chapters",
    "new mlp": "mlp.toml, a commented problem file to start from",
    "check my.claims.toml": "the numbers of a printed solution, judged one by one",
    "import net.onnx --out net.toml": "the problem file of an ONNX model, or of a .py file's forward",
}


class Examples(click.Command):
    """Help that ends with examples, under the name that the program was called by and with a problem that is there."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        from derive.chapters import chapter_names
        from derive.problem import built_in

        program, names = ctx.find_root().info_name, {"case": built_in()[0], "chapter": chapter_names()[0]}
        with formatter.section("Examples"):
            lines = [(f"{program} {words}".format(**names), what.format(**names)) for words, what in EXAMPLES.items()]
            formatter.write_dl(lines, col_max=60)


class Program(Examples, Commands):
    """The whole program. Its help has the examples too, since ``solve`` need not be written."""


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    subcommand_metavar="[solve] PROBLEM [OPTIONS] | COMMAND",
)
@click.version_option(__version__, message="derive %(version)s")
def program() -> None:
    """Worked solutions of small neural networks: every gradient derived, put in numbers and checked.

    PROBLEM is the name of a built-in problem, or a problem file: what ends in .toml or has a slash. `PROBLEM --help`,
    like `solve --help`, lists the options.
    """


# ── solve ───────────────────────────────────────────────────────────────────────────────────────────────────────


@program.command(cls=Examples)
@click.argument("problem")
@click.option(
    "--format",
    "formats",
    metavar="FORMATS",
    multiple=True,
    callback=words,
    default=("md", "tex", "pdf"),
    help=f"Of {', '.join(FORMATS)}: several with commas, or the option several times.  [default: md,tex,pdf]",
)
@click.option("--out", metavar="DIR", default="reports", show_default=True, help="Folder for the files.")
@click.option("--digits", type=int, metavar="N", help="Decimals shown.")
@click.option("--significant", type=int, metavar="N", help="Significant digits shown, instead of decimals.")
@click.option("--fractions", is_flag=True, default=None, help="Exact values as fractions, where these are short.")
@click.option("--decimal", metavar="SIGN", help="point or comma.  [default: as the language has it]")
@click.option("--style", metavar="STYLES", multiple=True, callback=words, help="Of matrix, elements, jacobian.")
@in_language
@click.option("--questions", is_flag=True, help="The sheet without the solutions.")
@by_engine
@click.option("--frame", metavar="FRAME", default="article", show_default=True, help="Of the LaTeX: article, exam.")
@click.option("--fragment/--standalone", help="The LaTeX as a body to \\input in a paper of your own.")
@click.option("--templates", metavar="DIR", help="Folder with templates of your own, in place of single ones.")
@click.option("--macros", metavar="FILE.tex", help="Write every value and formula as a TeX macro, too.")
@click.option("--sizes", metavar="SIZES", default="", help="Of a chapter's written-out case: N=2,m=3,n=2.")
@click.option("--factor", metavar="FACTOR", help="In front of the loss, in a chapter about one: 1/2N.")
@click.option(
    "--detail",
    metavar="LEVEL",
    default="standard",
    show_default=True,
    help="brief (formulas and results), standard, or full (every intermediate). Files: NAME-brief.md, NAME-full.md.",
)
@click.option(
    "--only",
    metavar="QUANTITIES",
    multiple=True,
    callback=words,
    help="These and what they rest on: dE/dW2,h or W1@1 (W1 after the first update). Files: NAME-dE-dW2-h.md.",
)
@click.option("--proofs", is_flag=True, help="Append a proof, for all sizes, of every rule that was used.")
@click.option("--train", is_flag=True, help="Repeat the problem's update until the loss is small or settles.")
@click.option("--until", metavar="RULE", help='With --train: "E < 0.01", with the loss\'s name, or settled.')
@click.option("--at-most", type=int, metavar="N", help="With --train: the most updates.  [default: 10000]")
@click.option("--json", "as_json", is_flag=True, help="Write no files; print all results as one JSON document.")
@click.pass_context
def solve(
    ctx: click.Context,
    problem: str,
    formats: tuple[str, ...],
    out: str,
    digits: int | None,
    significant: int | None,
    fractions: bool | None,
    decimal: str | None,
    style: tuple[str, ...],
    lang: str,
    questions: bool,
    engine: str,
    frame: str,
    fragment: bool,
    templates: str | None,
    macros: str | None,
    sizes: str,
    factor: str | None,
    detail: str,
    only: tuple[str, ...],
    proofs: bool,
    train: bool,
    until: str | None,
    at_most: int | None,
    as_json: bool,
) -> None:
    """Solve a problem, check the solution, and write it down.

    PROBLEM is the name of a built-in problem or chapter, or a problem file: what ends in .toml or has a slash.
    """
    start = time.perf_counter()
    check_printing(formats, engine)
    if decimal is not None:
        one_of(decimal, ("point", "comma"), what="the decimal sign")
    if as_json:
        nothing = ("formats", "out", "questions", "engine", "proofs", "detail", "only")
        for option in (*nothing, "frame", "fragment", "templates", "macros"):
            if ctx.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE:
                raise click.UsageError(
                    "--json writes no files, and everything: --format, --out, --questions, --detail, --only, --proofs "
                    "and --pdf-engine say nothing, nor do --frame, --fragment, --templates and --macros"
                )
    if questions and proofs:
        raise click.UsageError("--questions leaves the solutions out, and with them what --proofs would prove")
    if questions and (only or detail != "standard"):
        raise click.UsageError("--questions leaves out the solutions, of which --detail and --only say how much")
    one_of(detail, ("brief", "standard", "full"), what="the detail")
    wish = {key: value for key, value in (("until", until), ("at_most", at_most)) if value is not None}
    if wish and not train:
        raise click.UsageError("--until and --at-most are for --train")
    require_text(problem, "the name of the problem")
    require_text(out, "the folder of --out")
    if macros is not None and Path(macros).suffix != ".tex":
        raise click.UsageError(f"--macros {macros}: a file of TeX macros ends in .tex")

    from derive.report.setting import setting_for

    setting = setting_for(formats, engine=engine, frame=frame, fragment=fragment, templates=templates)
    # Begun before anything heavy is loaded: while this process solves, another gets ready to print.
    press = Aside(partial(printing, formats, setting), copy=bool(ctx.obj) and not as_json)
    ctx.call_on_close(press.close)

    from derive import api
    from derive.chapters import chapter_names
    from derive.problem import built_in

    if problem in chapter_names():
        own = ("digits", "significant", "fractions", "style", "questions", "train", "macros", "detail", "only")
        for option in own:
            if ctx.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE:
                raise click.UsageError(f"{problem} is a chapter: --{option} is for problems")
        chapter(problem, sizes, factor, out, lang, decimal, press, as_json, proofs, start)
        return
    for option in ("sizes", "factor"):
        if ctx.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{option} is for chapters, which are {', '.join(chapter_names())}")
    try:
        solution = api.solve(
            problem, digits=digits, significant=significant, style=style or None, decimal=decimal, fractions=fractions,
            train=wish if train else False,
        )  # fmt: skip
    except ProblemError as error:
        known = Path(problem).exists() or problem in built_in() or error.line is not None
        tip = None if known else nearest(ctx, problem)
        raise ProblemError(error.message, file=error.file, line=error.line, hint=tip or error.hint) from None
    if as_json:
        import json

        click.echo(json.dumps(solution.json(), ensure_ascii=False, indent=1))
        return
    from derive.report.catalogue import catalogue
    from derive.report.compose.exam import composed

    document = composed(
        solution.core, setting, questions=questions, language=lang, proofs=proofs, detail=detail, only=only
    )
    beside = {}
    if macros is not None:
        beside[Path(macros)] = solution.macros().encode()
    written = write(press(document), out, beside)
    say = catalogue(lang).with_decimal(solution.problem.convention.decimal)
    rows: Rows = [] if questions else [row for row in results(solution, say) if not only or row[0] in only]
    rows += [("", []), *ending(solution.checks, written, say)]
    summarise(solution.title(lang), rows, say, time.perf_counter() - start)


def chapter(
    name: str,
    sizes: str,
    factor: str | None,
    out: str,
    lang: str,
    decimal: str | None,
    press: Press,
    as_json: bool,
    proofs: bool,
    start: float,
) -> None:
    """Work a chapter out, and write it down or print its solved problems as one document."""
    from derive.chapters.chapter import work_out

    work = work_out(name, sizes, lang, factor, decimal)
    if as_json:
        import json

        click.echo(json.dumps(work.json(), ensure_ascii=False, indent=1))
        return
    written = write(press(work.document(proofs=proofs)), out)
    say = work.words
    rows: Rows = [(say.text("terminal.sizes"), [", ".join(f"{key} = {size}" for key, size in work.sizes.items())])]
    rows += [(say.text("terminal.factor"), [work.factor])] if work.factor else []
    rows += ending(work.checks, written, say)
    summarise(work.title, rows, say, time.perf_counter() - start)


def printing(formats: Sequence[str], setting: Setting) -> Callable[[Document], dict[str, bytes]]:
    """Get ready to print; gives the function that makes a document into files."""
    from derive.report.files import files, ready

    ready(formats, setting)
    return lambda document: files(document, formats, setting)


def write(made: Mapping[str, bytes], folder: str, beside: Mapping[Path, bytes] | None = None) -> list[Path]:
    """Write files into a folder, and those ``beside`` it where they say, all or none; gives their paths."""
    from derive.report.write import write_files

    contents = {Path(folder) / name: content for name, content in made.items()}
    for path, content in (beside or {}).items():
        if path.absolute() in {other.absolute() for other in contents}:
            raise ProblemError(f"two files cannot both be {path}", hint="give --macros another name")
        contents[path] = content
    write_files(contents)
    return list(contents)


def nearest(ctx: click.Context, problem: str) -> str | None:
    """What may have been meant by a problem that is not there: a file beside it, a built-in problem, a command."""
    from derive.chapters import chapter_names
    from derive.problem import built_in
    from derive.problem.wording import hint

    folder = Path(problem).parent
    files = [str(folder / path.name) for path in sorted(folder.glob("*.toml"))] if folder.is_dir() else []
    commands = [] if problem.endswith(".toml") else [*chapter_names(), *program.list_commands(ctx)]
    return hint(problem, [*built_in(), *files, *commands])


# ── prove ───────────────────────────────────────────────────────────────────────────────────────────────────────


@program.command()
@click.argument("rules", nargs=-1, metavar="[RULE]...")
@click.option(
    "--format",
    "formats",
    metavar="FORMATS",
    multiple=True,
    callback=words,
    help=f"Of {', '.join(FORMATS)}: write a document.  [default: print the proof]",
)
@click.option("--out", metavar="DIR", default="reports", show_default=True, help="Folder for the files.")
@in_language
@by_engine
@click.option("--templates", metavar="DIR", help="As of `solve`.")
def prove(
    rules: tuple[str, ...], formats: tuple[str, ...], out: str, lang: str, engine: str, templates: str | None
) -> None:
    """Prove rules of differentiation for all sizes, line by line; without a RULE, list them with their verdicts.

    A rule is that of one operation of the equation language (matmul, add, softmax, …), or of several in a row.
    """
    check_printing(formats, engine)
    require_text(out, "the folder of --out")
    for rule in rules:
        require_text(rule, "the name of a rule")

    from derive.chapters.proofs import every_rule, proofs, verdicts

    if not rules and not formats:
        from derive.report.spacing import columns, padded

        rows = verdicts(lang)
        widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            click.echo("  ".join(map(padded, row, widths)).rstrip())
        return
    document = proofs(rules or every_rule(), lang)
    if not formats:
        from derive.report.plain import plain

        click.echo(plain(document), nl=False)
        return
    from derive.report.catalogue import catalogue
    from derive.report.files import files as in_formats
    from derive.report.setting import setting_for
    from derive.report.write import write_files

    setting = setting_for(formats, engine=engine, templates=templates)
    made = {Path(out) / file: content for file, content in in_formats(document, formats, setting).items()}
    write_files(made)
    say = catalogue(lang)
    plainly(document.title, [(say.text("terminal.files"), files(list(made), say))])


@program.command("list")
def list_problems() -> None:
    """The built-in problems by kind and the chapters, one a line."""
    from derive import api
    from derive.chapters.prose import titles

    kinds = {**api.gallery(), "Chapters": titles()}
    width = max(len(name) for named in kinds.values() for name in named)
    for k, (kind, named) in enumerate(kinds.items()):
        click.echo(("\n" if k else "") + kind)
        for name, title in named.items():
            click.echo(f"  {name:<{width}}  {title}")


# ── the whole ───────────────────────────────────────────────────────────────────────────────────────────────────


def main(arguments: Sequence[str] | None = None, *, alone: bool = False) -> int:
    """Run the program and return its exit status; ``alone``: the process is the program's, which may copy it."""
    # SymPy makes objects by the million that live to the end; looking for garbage among them costs a tenth of a run.
    gc.set_threshold(500_000, 50, 100)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = program.main(arguments, standalone_mode=False, obj=alone)
        sys.stdout.flush()
    except DeriveError as error:
        complain(error)
        return error.exit_status
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("derive: interrupted", err=True)
        return 130
    except (BrokenPipeError, SystemExit):
        # The reader has left (`derive list | head -1`), which click turns into an exit of its own: nothing more to say,
        # and no complaint when Python closes down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return status if isinstance(status, int) else 0


def run() -> NoReturn:
    """The program as a process of its own. Never returns."""
    # The linear algebra under NumPy would start a thread for each core, for matrices that one thread is done with
    # before the others have woken up. Read when NumPy is imported, which is later; a wish of the user's stands.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    status = main(alone=True)
    sys.stderr.flush()
    # Not sys.exit: Python would take a million SymPy objects apart one by one before it leaves.
    os._exit(status)


def complain(error: DeriveError) -> None:
    """One message on standard error; it opens with the file and the line where there is one, as editors read it."""
    placed = isinstance(error, ProblemError) and error.file
    click.echo(str(error) if placed else f"derive: {error}", err=True)
