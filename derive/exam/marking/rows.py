"""CSV and JSON as rows of texts, each with its line; nothing is known here of exams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derive.errors import ProblemError
from derive.exam.marking.json_lines import Leaf, read_json
from derive.exam.marking.read import Row
from derive.exam.tables import rows
from derive.problem.wording import hint, listing, shown

COLUMNS = ("student", "variant", "question", "quantity", "index", "value", "language")
NEEDED = ("student", "question", "quantity", "value")


def csv_rows(text: str, file: str) -> Iterator[Row]:
    """The rows of a CSV file, one at a time. Raises ``ProblemError`` with file and line."""
    columns: list[str] | None = None
    for line, cells in rows(text, file):
        if not any(cell.strip() for cell in cells):
            continue
        if columns is None:
            columns = _columns(cells, file, line)
            continue
        if len(cells) != len(columns):
            tip = 'a cell that holds the separator stands in quotation marks: "1,2"'
            raise ProblemError(
                f"the row has {len(cells)} cells, and the head has {len(columns)}", file=file, line=line, hint=tip
            )
        row = dict(zip(columns, cells, strict=True))
        yield Row(
            line, row["student"], row.get("variant"), row["question"].strip(), row["quantity"].strip(),
            row.get("index"), row["value"], row.get("language"),
        )  # fmt: skip
    if columns is None:
        raise ProblemError(
            "the file is empty", file=file, line=1, hint=f"its first row has the columns {listing(COLUMNS, 'and')}"
        )


def _columns(cells: Sequence[str], file: str, line: int) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    for name in names:
        if name not in COLUMNS:
            tip = hint(name, COLUMNS) or f"known are {listing(COLUMNS, 'and')}"
            raise ProblemError(f"there is no column {shown(name)}", file=file, line=line, hint=tip)
        if names.count(name) > 1:
            raise ProblemError(f"the column {name} stands twice", file=file, line=line)
    lacking = [name for name in NEEDED if name not in names]
    if lacking:
        raise ProblemError(
            f"the column {lacking[0]} is missing", file=file, line=line, hint=f"there are {listing(names, 'and')}"
        )
    return names


# ── JSON ────────────────────────────────────────────────────────────────────────────────────────────────────────


def json_rows(text: str, file: str) -> Iterator[Row]:
    """The answers of a JSON file as the rows of a table. Raises ``ProblemError`` with file and line."""
    whole = read_json(text, file)
    top = dict(whole.pairs)
    if whole.kind == "object":
        for key, leaf in whole.pairs:
            if key not in ("format", "students"):
                raise ProblemError(f"unknown key {shown(key)}", file=file, line=leaf.line, hint="expected is students")
    students = top.get("students") if whole.kind == "object" else whole
    if students is None or students.kind != "list":
        raise ProblemError('expected is {"students": [...]}', file=file, line=whole.line)
    for student in students.items:
        yield from _student(student, file)


def _student(leaf: Leaf, file: str) -> Iterator[Row]:
    if leaf.kind != "object":
        raise ProblemError(f"a student is {leaf}, expected is an object", file=file, line=leaf.line)
    known = ("student", "variant", "language", "answers")
    own = dict(leaf.pairs)
    for key, value in leaf.pairs:
        if key not in known:
            tip = hint(key, known) or f"known are {listing(known, 'and')}"
            raise ProblemError(f"unknown key {shown(key)} of a student", file=file, line=value.line, hint=tip)
    for key in ("student", "answers"):
        if key not in own:
            raise ProblemError(f"a student without the key {key}", file=file, line=leaf.line)
    name, variant, language = (_text(own.get(key), key, file) for key in known[:3])
    for question, quantities in _object(own["answers"], "answers", file):
        for quantity, value in _object(quantities, f"the answers to {shown(question)}", file):
            row = (value.line, name or "", variant, question, quantity)
            if value.kind == "object":
                for index, one in value.pairs:
                    yield Row(one.line, *row[1:], index, _number(one, file), language)
            else:
                yield Row(*row, None, _cell(value, file), language)


def _text(leaf: Leaf | None, key: str, file: str) -> str | None:
    if leaf is None or leaf.kind == "nothing":
        return None
    if leaf.kind not in ("text", "number"):
        raise ProblemError(f"{key} is {leaf}, expected is a text", file=file, line=leaf.line)
    return leaf.text


def _object(leaf: Leaf, what: str, file: str) -> tuple[tuple[str, Leaf], ...]:
    if leaf.kind != "object":
        raise ProblemError(f"{what} are {leaf}, expected is an object", file=file, line=leaf.line)
    return leaf.pairs


def _number(leaf: Leaf, file: str) -> str:
    if leaf.kind == "nothing":
        return ""
    if leaf.kind not in ("text", "number", "truth"):  # true is the tick of a judgement
        raise ProblemError(f"an answer is {leaf}, expected is a number", file=file, line=leaf.line)
    return leaf.text


def _cell(leaf: Leaf, file: str) -> str:
    """A number, or a matrix in the form of a cell."""
    if leaf.kind != "list":
        return _number(leaf, file)
    rows = leaf.items if all(item.kind == "list" for item in leaf.items) else (leaf,)
    texts = []
    for row in rows:
        entries = [_number(entry, file).replace(",", ".") for entry in row.items]
        texts.append("[" + ", ".join(entries) + "]")
    return "[" + ", ".join(texts) + "]"
