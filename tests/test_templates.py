"""Templates of a user's own: what they may replace, and that nothing else can be done with them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import derive
from derive.errors import ProblemError
from derive.report import sandbox
from derive.report.document import Document, Heading, Paragraph, Text
from derive.report.own_look import Look, partials, read_look
from derive.report.pdf import pdf
from derive.report.render import render
from derive.report.setting import Setting
from documents import HOSTILE, REALISTIC

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "templates/examples/course"


def look(**sources: str) -> Look:
    """``look(typ_heading="…")``: templates without a folder."""
    names = {name.replace("_", "/"): source for name, source in sources.items()}
    return Look("mine", tuple((f"{name}.{name.split('/')[0]}", source) for name, source in names.items()))


def rendered(format: str, document: Document = REALISTIC, **sources: str) -> str:
    """A document in a format, by own templates."""
    return render(document, format, Setting(look=look(**sources))).text


# ── what they replace ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("format", "colour"), [("typ", "#7A1F3D"), ("html", "#7a1f3d")])
def test_the_example_changes_logo_colours_and_headings(format: str, colour: str) -> None:
    """The example of the guide changes these three and leaves every other block as it is."""
    own, plain = render(REALISTIC, format, Setting(look=read_look(EXAMPLE))).text, render(REALISTIC, format).text
    assert colour in own
    assert "Introduction to machine learning" in own
    bar = r"stroke: (left: 4pt" if format == "typ" else "border-left: 4px solid"
    steps = [block for block in REALISTIC.blocks if isinstance(block, Heading) and block.level == 1]
    assert own.count(bar) == len(steps)
    display = re.compile(
        r"^#derive-display.*?^\$\);\]$" if format == "typ" else '^<div class="display".*?$', re.M | re.S
    )
    assert display.findall(own) == display.findall(plain) != []


def test_the_example_in_latex() -> None:
    """In LaTeX the colours go to the macro file, logo and headings to the document."""
    made = render(REALISTIC, "tex", Setting(look=read_look(EXAMPLE)))
    assert r"\definecolor{accent}{HTML}{7A1F3D}" in made.attachments["derive.sty"].decode()
    assert "Introduction to machine learning" in made.text
    assert made.text.count(r"\rule[-.3em]{4pt}{1.3em}") == len(re.findall(r"^\\section", made.text, re.MULTILINE))


def test_the_example_as_a_pdf() -> None:
    """Typst takes the example's templates without a warning."""
    assert pdf(REALISTIC, Setting(look=read_look(EXAMPLE))) != pdf(REALISTIC)


def test_a_format_without_own_templates_stays_as_it_is() -> None:
    """The example has nothing for Markdown."""
    assert render(REALISTIC, "md", Setting(look=read_look(EXAMPLE))) == render(REALISTIC, "md")


def test_every_partial_can_be_replaced_by_itself() -> None:
    """A copy of all templates, run where a stranger's run, makes the same files: nothing of them is out of bounds."""
    own = Look("copy", tuple((name, (ROOT / "templates" / name).read_text(encoding="utf-8")) for name in partials()))
    for format in ("md", "html", "tex", "typ"):
        for document in (REALISTIC, HOSTILE):
            assert render(document, format, Setting(look=own)) == render(document, format)


def test_the_built_in_partial_is_within_reach() -> None:
    """``built-in/`` before a name: what a user's partial of that name includes."""
    own = rendered("md", md_heading='((* include "built-in/md/heading.md" *))\n***\n')
    assert own.replace("\n***", "") != own
    assert re.findall(r"^#.*", own, re.MULTILINE) == re.findall(r"^#.*", render(REALISTIC, "md").text, re.MULTILINE)


def test_own_templates_print_texts_as_texts() -> None:
    """What a problem file says is escaped in a user's template as in derive's own."""
    document = Document("d", r"\input{x} #read(1) <b> ((( 1 )))", "en", (Paragraph((Text("x"),)),))
    assert "<b>" not in rendered("html", document, html_logo="((( document.title )))")
    assert r"\input" not in rendered("tex", document, tex_logo="((( document.title )))")
    assert '#"\\\\input{x} #read' in rendered("typ", document, typ_logo="((( document.title )))")


def test_the_api_and_the_command_take_a_folder(
    run: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    """``--templates DIR`` and ``save(…, templates=…)`` write the same files."""
    done = run("case1", "--templates", str(EXAMPLE), "--format", "tex,typ,html")
    assert done.returncode == 0, done.stderr.decode()
    saved = derive.solve("case1").save(tmp_path / "py", ["tex", "typ", "html"], templates=EXAMPLE)
    assert {path.name for path in saved} == {"case1.tex", "derive.sty", "case1.typ", "case1.html"}
    for path in saved:
        assert path.read_bytes() == (tmp_path / "reports" / path.name).read_bytes()


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────────

BROKEN = {
    "((* if view.rank *))\n": (1, "is broken: Unexpected end of template"),
    "x\n((* endfor *))": (2, "is broken: Encountered unknown tag 'endfor'"),
    "x\n\n((( veiw.rank )))": (3, r"'veiw' is not known to a template \(nearest: view\)"),
    "((* if false *))((( nothing )))((* endif *))": (1, "'nothing' is not known"),
    "((( view.block.nothing )))": (1, "has no attribute 'nothing'"),
    "a\n((( ().__class__ )))": (2, "access to attribute '__class__'"),
    "((( view.block.__class__.__mro__ )))": (1, "access to attribute '__class__'"),
    "((( view['__class__'] )))": (1, "access to attribute '__class__'"),
    "((( view.aligned.format(view) )))": (1, "calls nothing but 'range'"),
    "((( cycler(1) )))": (1, "calls nothing but 'range'"),
    "((( 'x' * 1000000000 )))": (1, "never computes: 'mul'"),
    "((( 9 ** 9 ** 9 )))": (1, "never computes: 'pow'"),
    "((( 'x' ~ 'y' )))": (1, "never computes: 'concat'"),
    "((* macro m() *))((( m() )))((* endmacro *))": (1, "never computes: 'macro'"),
    "((* set x *))x((* endset *))": (1, "never computes: 'assignblock'"),
    "((* extends 'typ/frame.typ' *))": (1, "never computes: 'extends'"),
    "((* import 'typ/frame.typ' as f *))": (1, "never computes: 'import'"),
    "((( 'x'|center(1000000000) )))": (1, "No filter named 'center'"),
    "((( 'x'|em )))": (1, "cannot be filled in: Unknown format code"),
    "((( view.block )))": (1, "prints texts and numbers, not a Heading"),
    "((( view )))": (1, "prints texts and numbers, not a View"),
    "((* include 'typ/nothing.typ' *))": (1, "there is no template typ/nothing.typ"),
    "((* include '../../pyproject.toml' *))": (1, "there is no template"),
    "\n((* include 'typ/heading.typ' *))": (2, "without end: it includes itself"),
    "((* for a in range(100001) *))x((* endfor *))": (1, "without end: a range is longer than 100,000"),
    "((* for a in range(2000) *))((* for b in range(2000) *))((* endfor *))((* endfor *))": (1, "more than .* steps"),
    "\n((* for a in range(99999) *))" + 600 * "x" + "((* endfor *))": (2, "more than .* characters"),
    30 * "((* for a in range(9) *))\n" + 30 * "((* endfor *))": (11, "more than 10 loops and conditions are nested"),
    "((* if " + 3000 * "(" + "1" + 3000 * ")" + "*))((* endif *))": (None, "nested too deep"),
}


@pytest.mark.parametrize("source", BROKEN, ids=lambda source: source.strip()[:40])
def test_a_bad_template_is_refused_with_its_place(source: str) -> None:
    """Broken, unknown, computing, endless, or after Python's insides: one message with file and line."""
    line, told = BROKEN[source]
    document = Document("d", "d", "en", (Heading(1, (Text("x"),)),))
    with pytest.raises(ProblemError, match=told) as refused:
        rendered("typ", document, typ_heading=source)
    assert refused.value.line == line
    assert refused.value.file == "mine/typ/heading.typ"


def test_the_limits_are_far_from_any_report() -> None:
    """A report of derive's takes less than a hundredth of the steps that a template may go."""
    own = Look("copy", (("typ/heading.typ", (ROOT / "templates/typ/heading.typ").read_text(encoding="utf-8")),))
    steps = []

    class Counting(sandbox.OwnTemplates):
        def _step(self) -> None:
            steps.append(1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "OwnTemplates", Counting)
        render(REALISTIC, "typ", Setting(look=own))
    assert 0 < len(steps) < sandbox.MOST_STEPS / 100


def test_unknown_files_are_refused_with_the_nearest_name(tmp_path: Path) -> None:
    """A file that would never be used is a mistake; hidden files and a README are none."""
    for name in (".DS_Store", "README.md", "typ/heading.typ"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    assert [name for name, _ in read_look(tmp_path).sources] == ["typ/heading.typ"]
    (tmp_path / "typ/headings.typ").write_text("x", encoding="utf-8")
    with pytest.raises(ProblemError, match=r"headings\.typ: no template .* \(nearest: typ/heading\.typ\)"):
        read_look(tmp_path)


def test_folders_that_are_none_and_files_that_are_no_text(tmp_path: Path) -> None:
    """No folder, an empty one, bytes that are no UTF-8, a template of a megabyte."""
    for folder, told in ((tmp_path / "nowhere", "there is no folder"), (tmp_path, "holds no templates")):
        with pytest.raises(ProblemError, match=told):
            read_look(folder)
    (tmp_path / "typ").mkdir()
    for content, told in ((b"\xff", "no text in UTF-8"), (b"x" * 1_000_000, "has at most")):
        (tmp_path / "typ/note.typ").write_bytes(content)
        with pytest.raises(ProblemError, match=told):
            read_look(tmp_path)


def test_nothing_is_written_by_a_bad_template(
    run: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    """Exit status 2, one line that opens with file and line, no traceback, no folder."""
    (tmp_path / "mine/tex").mkdir(parents=True)
    (tmp_path / "mine/tex/note.tex").write_text("\n((( view.block.nothing.at.all )))", encoding="utf-8")
    (tmp_path / "mine/tex/heading.tex").write_text("\n\n((( ().__class__ )))", encoding="utf-8")
    done = run("case1", "--templates", "mine", "--format", "md,tex")
    assert done.returncode == 2
    assert done.stderr.decode().startswith("mine/tex/heading.tex:3: access to attribute '__class__'")
    assert done.stderr.decode().count("\n") == 1
    assert not (tmp_path / "reports").exists()
