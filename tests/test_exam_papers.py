"""Papers, solutions and keys of a variant: what stands on them, how many pages they take, that nothing sticks out."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pypdf
import pytest
import segno
from flint import fmpq

import exams
from derive.errors import ProblemError
from derive.exam.answers import answers
from derive.exam.building.solved import solved
from derive.exam.exam import Exam
from derive.exam.papers import KINDS, documents, merged, setting
from derive.exam.papers import posed as posed_module
from derive.exam.papers.blanks import CELL_HEIGHT, CELL_WIDTH, LINE, Blank, figure
from derive.exam.papers.scan import code, content
from derive.numbers.decimals import read_number
from derive.report.catalogue import catalogue
from derive.report.document import Display, Document, Figure, Items, Masthead, Question, Room, Table, Text
from derive.report.modules import rectangles
from derive.report.page import A4, LETTER
from derive.report.pdf import pdf
from derive.report.plain import plain
from derive.report.render import render
from derive.report.scene import Box, Modules
from derive.report.spacing import spaced
from documents import HOSTILE_STRINGS
from overflow import overflows
from tagged import tagged
from watched import watched

LANGUAGES = ("en", "zh")


@cache
def made(language: str = "en", forms: bool = True) -> Mapping[str, Document]:
    """The documents of the exam in every form, or of the exam of two worked questions."""
    return of(exams.every_form() if forms else exams.exam(), language)


def of(
    exam: Exam, language: str = "en", number: int = 1, code: str = "AB2C", student: str | None = None
) -> Mapping[str, Document]:
    """The documents of a variant with the problems' own numbers."""
    variant = exams.variant_of(exam, number, code, student)
    return documents(exam, variant, solved(exam, variant), language)


def blocks(document: Document, kind: type) -> list:  # type: ignore[type-arg]  # of that kind
    """The blocks of one kind."""
    return [block for block in document.blocks if isinstance(block, kind)]


# ── what stands on them ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_is_there_with_its_points(language: str) -> None:
    """Paper and solution open each question, numbered, with its points; those of steps and of the whole add up."""
    exam = exams.every_form()
    for kind in ("paper", "solution"):
        opened = [block for block in blocks(made(language)[kind], Question) if not block.part]
        assert [block.number for block in opened] == [str(k) for k in range(1, len(exam.questions) + 1)]
        assert [read_number(re.findall(r"\d+", block.points)[0]) for block in opened] == [
            q.points for q in exam.questions
        ]
    masthead, table = made(language)["paper"].blocks[:2]
    assert isinstance(masthead, Masthead)
    assert isinstance(table, Table)
    assert str(exam.points) in plain(made(language)["paper"])
    assert table.rows[0][-1] == (Text(str(exam.points)),)


def test_names_heads_and_pages() -> None:
    """Files are called after number, code and kind, the language behind it; heads name the variant."""
    for language, behind in (("en", ""), ("zh", ".zh")):
        found = made(language)
        assert tuple(found) == KINDS
        for kind, document in found.items():
            assert document.name == f"001-AB2C-{kind}{behind}"
            assert "AB2C" in document.running
            assert document.pages is not None


def test_a_student_is_filled_in() -> None:
    """A paper made for a student has their number on its line; any other a rule to write on."""
    for student in (None, "s-01"):
        [masthead] = blocks(of(exams.exam(), student=student)["paper"], Masthead)
        assert [filled for _, filled in masthead.fields] == ["", student or ""]


def test_points_stand_beside_the_steps_that_earn_them() -> None:
    """In a solution every asked value is in a box with its points; what leads to it has neither."""
    exam = exams.exam()
    shown = blocks(made(forms=False)["solution"], Display)
    asked = [(quantity, points) for question in exam.questions for quantity, points in question.steps.items()]
    earning = [block for block in shown if block.points]
    assert len(earning) == len(asked)
    for block in shown:
        text = " ".join(term for chain in block.chains for link in chain.links for term in link.terms)
        assert text.count(r"\boxed") == bool(block.points)
    assert sum((read_number(re.findall(r"[\d.]+", block.points)[0]) for block in earning), fmpq(0)) == exam.points


def test_the_boxed_values_are_the_answers() -> None:
    """What stands in a box of the solution, entry by entry, is what the marking takes for right."""
    exam = exams.exam()
    variant = exams.variant_of(exam)
    solutions = solved(exam, variant)
    shown = [block for block in blocks(documents(exam, variant, solutions)["solution"], Display) if block.points]
    expected: list[list[str]] = []
    for question in exam.questions:
        found: dict[str, list[str]] = {}
        for answer in answers(question, solutions[question.id]):
            found.setdefault(answer.quantity, []).append(answer.printed.text)
        expected += found.values()
    # dE/dW1 is worked out behind dE/dz, and both behind the forward pass: the order of working is that of the steps
    boxes = [block.chains[-1].links[-1].terms[-1].partition(r"\boxed{")[2] for block in shown]
    assert [
        sorted(re.findall(r"-?\d+(?:\.\d+)?", re.sub(r"\\phantom\{[^}]*\}|\{[@lcr.]+\}", " ", box))) for box in boxes
    ] == [sorted(texts) for texts in expected]


def test_the_paper_gives_nothing_away() -> None:
    """No value of the key that is asked for in a worked question stands on its paper."""
    exam = exams.exam(exams.relu_question())
    paper = plain(of(exam)["paper"])
    for answer in answers(exam.questions[0], solved(exam, exams.variant_of(exam))["a"]):
        if len(answer.printed.text.lstrip("-")) > 3:
            assert answer.printed.text not in paper
    assert r"\boxed" not in render(of(exam)["paper"], "tex", setting(exam)).text


def test_conventions_stand_once() -> None:
    """What holds in every question is said on the first page alone, what holds in one there."""
    whole = plain(made()["paper"])
    assert whole.count("A sample is a row") == 1
    assert whole.count("Numbers are shown to 4 decimals") == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_of_values_speaks_of_no_derivative(language: str) -> None:
    """Where only values are asked, the table is not said to hold derivatives of a loss that is not named."""
    values = exams.relu_question(form="table", points=fmpq(2), steps={"z": fmpq(1), "h": fmpq(1)})
    both = exams.relu_question(form="table", points=fmpq(2), steps={"z": fmpq(1), "dE/dz": fmpq(1)})
    said = catalogue(language).text("exam_paper.fill_values")
    assert said in plain(of(exams.exam(values), language)["paper"])
    assert said not in plain(of(exams.exam(both), language)["paper"])


def test_every_message_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exam in every form, one of a single question and one in which no slip shows ask for every sentence."""
    words, asked = watched()
    monkeypatch.setattr(posed_module, "catalogue", lambda language: words)
    of(exams.every_form())
    of(exams.exam(exams.steps_question()))
    of(exams.exam(exams.graph_question()))
    of(exams.exam(exams.sigmoid_question(form="table", points=fmpq(1), steps={"z": fmpq(1)})))
    formula = exams.relu_question(form="choice", points=fmpq(2), steps={"dE/dW1": fmpq(2)}, vary={})
    of(exams.exam(formula))
    own = {key for key in catalogue("en").keys if key.startswith("exam_paper.")}
    assert own - asked == set()


# ── how they are set ────────────────────────────────────────────────────────────────────────────────────────────


def pages(document: Document, exam: Exam) -> int:
    """How many pages Typst needs."""
    return len(pypdf.PdfReader(io.BytesIO(pdf(document, setting(exam)))).pages)


@pytest.mark.parametrize("paper", ["a4", "us-letter"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_papers_are_short(language: str, paper: str) -> None:
    """Two questions on small networks: three pages with the space for answers, three worked out, four of key and guide."""
    exam = exams.exam(paper=paper)
    found = of(exam, language)
    most = {"paper": 3, "solution": 3, "key": 4}
    assert all(pages(document, exam) <= most[kind] for kind, document in found.items())
    size = pypdf.PdfReader(io.BytesIO(pdf(found["paper"], setting(exam)))).pages[0].mediabox
    assert round(float(size.width) / 72 * 25.4) == round((A4 if paper == "a4" else LETTER).width)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_sticks_out(language: str, kind: str) -> None:
    """In every form formulas, tables and results stay inside the text."""
    assert list(overflows(made(language)[kind])) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_papers_are_accessible(language: str, kind: str) -> None:
    """PDF/UA-1: every drawing has its words: the code, the blank matrices."""
    document = spaced(made(language)[kind])
    found = tagged(pdf(document, setting(exams.every_form())))
    assert "<pdfuaid:part>1</pdfuaid:part>" in found.promises
    drawn = [block.alternative for block in document.blocks if isinstance(block, Figure | Masthead)]
    assert sorted(tag.alternative or "" for tag in found.all("Figure")) == sorted(drawn)
    assert all(drawn)


@pytest.mark.parametrize("format", ["md", "html", "tex", "typ"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_format_has_every_block(kind: str, format: str) -> None:
    """Points, fields and the code stand in each format; to set it again changes nothing."""
    document, how = made()[kind], setting(exams.every_form())
    first = render(document, format, how)
    assert render(document, format, how) == first
    text = first.text
    if kind == "paper":
        for word in ("Student ID:", "AB2C", "(10 points)", "(2 points)"):
            assert word in text


@pytest.mark.parametrize("words", HOSTILE_STRINGS)
def test_hostile_titles_and_instructions(words: str) -> None:
    """What a teacher writes is text: it runs neither Typst nor TeX, in title, date, instructions, questions, ids."""
    exam = exams.exam(
        exams.relu_question(text={"en": words}), title={"en": words}, date={"en": words}, instructions={"en": words}
    )
    found = of(exam, student=words)
    for kind in ("paper", "solution"):
        for format in ("md", "html", "tex"):
            render(found[kind], format, setting(exam))
    assert pypdf.PdfReader(io.BytesIO(pdf(found["paper"], setting(exam)))).pages


@pytest.mark.tex
@pytest.mark.parametrize("engine", ["xelatex", "pdflatex", "lualatex"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_latex_sets_them(language: str, engine: str) -> None:
    """The class exam sets every form; the last page knows how many there are, and its foot says so."""
    exam = exams.every_form()
    for kind, document in made(language).items():
        reader = pypdf.PdfReader(io.BytesIO(pdf(document, setting(exam, engine))))
        if language == "en" or engine == "lualatex":  # the others' Chinese comes back from no PDF
            last = re.sub(r"\s", "", reader.pages[-1].extract_text())
            count = len(reader.pages)
            assert (f"page{count}of{count}" if language == "en" else f"第{count}页，共{count}页") in last, kind


# ── blanks and the code ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("shape", "grid"), [((), (1, 1)), ((3,), (1, 3)), ((2, 4), (2, 4)), ((9, 1), (9, 1))])
def test_blanks_have_the_shape_and_room_to_write(shape: tuple[int, ...], grid: tuple[int, int]) -> None:
    """One cell for each entry, 1.6 cm by 0.9 cm."""
    blank = Blank("h =", shape)
    assert blank.grid == grid
    scene = figure([blank], catalogue("en")).scene
    cells = [mark for mark in scene.marks if isinstance(mark, Box)]
    assert len(cells) == grid[0] * grid[1]
    assert all(cell.width > CELL_WIDTH - 0.1 and cell.height > CELL_HEIGHT - 0.1 for cell in cells)
    assert all(cell.x + cell.width / 2 <= LINE and cell.y - cell.height / 2 >= 0 for cell in cells)


def test_too_large_a_matrix_gets_a_frame() -> None:
    """A matrix whose cells would be too narrow, or more than a page has room for, is no blank."""
    assert [Blank("W =", shape).fits for shape in ((8, 8), (3, 30), (40, 2), (2, 3, 4))] == [True, False, False, False]


def test_the_drawn_code_is_the_qr_code() -> None:
    """The dark squares on the paper, sampled in the middle of each module, are those of the standard's encoder."""
    exam = exams.exam()
    text = content(exam, exams.variant())
    assert text == "quiz/AB2C"
    scene = code(text)
    [mark] = scene.marks
    assert isinstance(mark, Modules)
    matrix = [list(map(bool, row)) for row in segno.make(text, error="m", micro=False, boost_error=False).matrix]
    boxes, count = list(rectangles(mark)), len(matrix)
    side = mark.width / count

    def dark(i: int, j: int) -> bool:
        x, y = mark.x - mark.width / 2 + (j + 0.5) * side, mark.y + mark.height / 2 - (i + 0.5) * side
        return any(left < x < right and low < y < high for left, low, right, high in boxes)

    assert [[dark(i, j) for j in range(count)] for i in range(count)] == matrix
    assert (scene.width - mark.width) / 2 >= 4 * side - 1e-9  # the quiet zone


@pytest.mark.parametrize("format", ["typ", "tex", "html", "md"])
def test_the_code_is_drawn_in_every_format(format: str) -> None:
    """Each run of dark squares is there: as many closed shapes as there are runs."""
    exam = exams.exam()
    scene = code(content(exam, exams.variant()))
    [mark] = scene.marks
    assert isinstance(mark, Modules)
    made_of = render(made(forms=False)["paper"], format, setting(exam))
    text = made_of.text + b"".join(made_of.attachments.values()).decode()
    shape = {
        "typ": r"\(-?[\d.]+cm, -?[\d.]+cm, -?[\d.]+cm, -?[\d.]+cm\)",
        "tex": "rectangle",
        "html": "M[^M]*Z",
        "md": "M[^M]*Z",
    }
    start = {"typ": "derive-modules(", "tex": r"\fill[black]", "html": "<path", "md": "<path"}[format]
    drawn = next(
        piece for piece in text.split(start)[1:] if len(re.findall(shape[format], piece.split("\n\n")[0])) > 50
    )
    assert len(re.findall(shape[format], re.split(r";\n|/>|,\)\n", drawn)[0])) == len(list(rectangles(mark)))


# ── one file of all ─────────────────────────────────────────────────────────────────────────────────────────────


def test_merged_papers_have_a_bookmark_each() -> None:
    """All pages one behind the other, a bookmark at the first of each variant; the same bytes every time."""
    exam = exams.exam()
    files = [
        (code, pdf(of(exam, number=k, code=code)["paper"], setting(exam))) for k, code in ((1, "AB2C"), (2, "X7PQ"))
    ]
    whole = merged(files)
    assert merged(files) == whole
    reader = pypdf.PdfReader(io.BytesIO(whole))
    counts = [len(pypdf.PdfReader(io.BytesIO(content)).pages) for _, content in files]
    assert len(reader.pages) == sum(counts)
    marks = [(mark.title, reader.get_destination_page_number(mark)) for mark in reader.outline]  # type: ignore[union-attr,arg-type]  # flat
    assert marks == [("AB2C", 0), ("X7PQ", counts[0])]
    assert "X7PQ" in reader.pages[counts[0]].extract_text()


def test_space_is_what_the_exam_says() -> None:
    """An answer space in centimetres is kept; more than a page holds is cut into frames; none is none."""
    for space, heights in ((fmpq(5), [5.0]), (fmpq(45), [20.0, 20.0, 5.0]), (fmpq(0), [])):
        exam = exams.exam(exams.relu_question(space=space))
        assert [room.height for room in blocks(of(exam)["paper"], Room)] == heights


def test_tasks_carry_points() -> None:
    """Each task has its points at the margin, whatever number they are."""
    steps = {"z": fmpq(1, 3), "h": fmpq(5, 2), "y": fmpq(1)}
    exam = exams.exam(exams.relu_question(steps=steps, points=sum(steps.values(), fmpq(0))))
    [items] = blocks(of(exam)["paper"], Items)
    assert items.points == ("(1/3 points)", "(2.5 points)", "(1 point)")


def test_a_graph_stands_blank_on_the_paper() -> None:
    """The form table shows the computation graph of a network that has one: without its values."""
    paper = of(exams.exam(exams.graph_question()))["paper"]
    [drawing] = blocks(paper, Figure)
    assert not any(label in drawing.alternative for label in ("-12", "-4 "))
    assert pypdf.PdfReader(io.BytesIO(pdf(paper, setting(exams.exam())))).pages


def test_an_unknown_language_is_refused() -> None:
    """With the known ones."""
    with pytest.raises(ProblemError, match="there is no language 'xx'"):
        of(exams.exam(), "xx")


def test_a_comma_is_a_comma_everywhere() -> None:
    """A problem that wants decimal commas has them on its paper and in its solution."""
    question = exams.sigmoid_question()
    convention = replace(question.problem.convention, decimal="comma")
    exam = exams.exam(replace(question, problem=replace(question.problem, convention=convention)))
    text = render(of(exam)["solution"], "tex", setting(exam)).text
    assert "0{,}9241" in text
    assert "0.9241" not in text


# ── what an answer needs ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["worked", "matrix", "table", "choice"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rate_of_an_update_is_on_the_paper(form: str, language: str) -> None:
    """Whoever is asked for a parameter after an update finds its learning rate, in every form."""
    exam = exams.exam(exams.relu_question(form=form, steps={"z": fmpq(1), "W2@1": fmpq(1)}))
    assert re.search(r"(alpha|α) = 0[.{},]*1\b", plain(of(exam, language)["paper"]))


def test_the_running_head_keeps_the_code() -> None:
    """A title too long for the head of a page is shortened, the code behind it is not."""
    long = exams.exam(title={"en": "A quiz on backpropagation, " * 5})
    for document in of(long).values():
        for format in ("typ", "tex"):
            assert re.search(r"(…|dots\S*) (–|--) AB2C", render(document, format).text)
