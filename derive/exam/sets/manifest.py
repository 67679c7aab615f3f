"""The manifest of an exam: its own texts and the numbers of every variant, as one JSON file that a person can read.

Numbers stand in it as exact texts ("-0.5", "1/3") in the rows of their matrices, so that every paper can be made again
from it by any later version, whatever becomes of the search.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from derive.errors import ProblemError
from derive.exam.exam import Activations, Exam, Question
from derive.exam.searching.trace import varying
from derive.exam.sets.codes import read_code
from derive.exam.sets.exact_text import nested, read_nested
from derive.exam.tables import wrong_id
from derive.exam.variant import Chosen, Variant
from derive.problem.wording import hint, kind, listing, shown
from derive.records import dataclass
from derive.version import __version__

FORMAT = 1
MOST_BYTES = 200_000_000
KEYS = ("derive", "exam", "format", "languages", "seed", "sources", "variants")
VARIANT_KEYS = ("code", "number", "questions", "student")
QUESTION_KEYS = ("functions", "values")
Reader = Callable[[Mapping[str, str], str], Exam]


@dataclass(frozen=True)
class Manifest:
    """An exam with its variants; ``version`` is that of the program which found them."""

    exam: Exam
    seed: int
    version: str
    variants: tuple[Variant, ...]

    def variant(self, code: str) -> Variant:
        """The variant of a code, however it is written; ``KeyError`` for any other."""
        return {one.code: one for one in self.variants}[read_code(code) or code]


def manifest_of(exam: Exam, seed: int, variants: Iterable[Variant]) -> Manifest:
    """The manifest of variants that this version found."""
    return Manifest(exam, seed, __version__, tuple(variants))


# ── writing ──


def manifest_bytes(manifest: Manifest) -> bytes:
    """The file: keys sorted, each value of a variant on a line of its own."""
    exam = manifest.exam
    head: dict[str, object] = {
        "derive": manifest.version,
        "exam": exam.name,
        "format": FORMAT,
        "languages": list(exam.languages),
        "seed": manifest.seed,
    }
    lines = [f"  {_json(key)}: {_json(value)}," for key, value in head.items()]
    sources = [f"    {_json(name)}: {_json(text)}" for name, text in sorted(exam.sources.items())]
    lines += ['  "sources": ' + _braced(sources, "  ") + ","]
    variants = [_variant_text(variant) for variant in manifest.variants]
    lines += ['  "variants": [' + ("\n" + ",\n".join(variants) + "\n  " if variants else "") + "]"]
    return ("{\n" + "\n".join(lines) + "\n}\n").encode()


def _variant_text(variant: Variant) -> str:
    questions = []
    for id, chosen in sorted(variant.chosen.items()):
        values = [
            f"            {_json(name)}: {_json(nested(tensor))}" for name, tensor in sorted(chosen.values.items())
        ]
        functions = json.dumps(dict(sorted(chosen.functions.items())), ensure_ascii=False)
        inner = f'          "functions": {functions},\n          "values": {_braced(values, "          ")}'
        questions.append(f"        {_json(id)}: {{\n{inner}\n        }}")
    return (
        f'    {{\n      "code": {_json(variant.code)},\n      "number": {variant.number},\n'
        f'      "questions": {_braced(questions, "      ")},\n      "student": {_json(variant.student)}\n    }}'
    )


def _braced(lines: Sequence[str], indent: str) -> str:
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}" if lines else "{}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


# ── reading ──


def read_manifest(path: Path | str, reader: Reader | None = None) -> Manifest:
    """The manifest in a file. ``reader`` makes an exam of its texts and its name (``exam_of`` unless given).

    Raises ``ProblemError`` with the file, and the line where there is one, for whatever is no manifest.
    """
    file = str(path)
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ProblemError(f"cannot read the manifest: {error.strerror or error}", file=file) from None
    return manifest_from(data, file, reader)


def manifest_from(data: bytes, file: str, reader: Reader | None = None) -> Manifest:
    """The same from the content of a file."""
    return _Reading(file).manifest(_parsed(data, file), reader)


def _parsed(data: bytes, file: str) -> object:
    if len(data) > MOST_BYTES:
        raise ProblemError(f"a manifest of {len(data):,} bytes; the most is {MOST_BYTES:,}", file=file)
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise ProblemError(f"this is no JSON: {error.msg}", file=file, line=error.lineno) from None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ProblemError("this is no UTF-8 text", file=file, line=line) from None
    except RecursionError:
        raise ProblemError("this is no manifest: its lists are too deep", file=file) from None
    except ValueError as error:  # a key twice, NaN, a whole number of a million digits
        raise ProblemError(f"this is no manifest: {error}", file=file) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {shown(key)} stands twice in one table")
        found[key] = value
    return found


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no number")


class _Reading:
    def __init__(self, file: str) -> None:
        self.file = file

    def error(self, message: str, tip: str | None = None) -> ProblemError:
        return ProblemError(message, file=self.file, hint=tip)

    def manifest(self, data: object, reader: Reader | None) -> Manifest:
        table = self.table(data, "the manifest")
        number = table.get("format")
        if isinstance(number, int) and not isinstance(number, bool) and number > FORMAT:
            raise self.error(
                f"this manifest has the format {number}, and this version reads up to {FORMAT}",
                f"it was written by derive {shown(table.get('derive', 'of a later version'))}",
            )
        if number != FORMAT or isinstance(number, bool):
            raise self.error(f"the format of the manifest is {kind(number)}, expected is {FORMAT}")
        self.keys(table, KEYS, "the manifest")
        version, name = self.text(table["derive"], "derive"), self.text(table["exam"], "exam")
        sources = {
            key: self.text(text, f"sources.{key}") for key, text in self.table(table["sources"], "sources").items()
        }
        seed = table["seed"]
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise self.error(f"seed is {kind(seed)}, expected is a whole number")
        exam = self.exam(sources, name, table["languages"], reader)
        variants = tuple(self.variant(one, exam) for one in self.listed(table["variants"], "variants"))
        self.different("number", [variant.number for variant in variants])
        self.different("code", [variant.code for variant in variants])
        self.different("student", [one.student for one in variants if one.student is not None])
        self.distinct(exam, variants)
        return Manifest(exam, seed, version, variants)

    def exam(self, sources: Mapping[str, str], name: str, languages: object, reader: Reader | None) -> Exam:
        from derive.report.catalogue import languages as known

        if reader is None:
            from derive.exam.reading.read import exam_of

            reader = exam_of
        codes = [self.text(one, "languages") for one in self.listed(languages, "languages")]
        for code in codes:
            if code not in known():
                raise self.error(f"languages has {shown(code)}", f"there are {listing(known(), 'and')}")
        if not codes:
            raise self.error("languages is empty", f"there are {listing(known(), 'and')}")
        exam = replace(reader(sources, name), file=self.file)
        return replace(exam, languages=tuple(codes), sources=dict(sources))

    def variant(self, data: object, exam: Exam) -> Variant:
        table = self.table(data, "a variant")
        number = table.get("number")
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise self.error(f"the number of a variant is {kind(number)}, expected is 1, 2, 3, …")
        where = f"variant {number}"
        self.keys(table, VARIANT_KEYS, where)
        code = read_code(self.text(table["code"], f"the code of {where}"))
        if code is None or code != table["code"]:
            raise self.error(f"the code of {where} is {shown(table['code'])}, which is no code of a variant")
        student = table["student"]
        if student is not None:
            problem = wrong_id(self.text(student, f"the student of {where}"))
            if problem is not None:
                raise self.error(f"the student of {where}: {problem}")
        questions = self.table(table["questions"], f"the questions of {where}")
        self.keys(questions, [one.id for one in exam.questions], f"the questions of {where}")
        chosen = {one.id: self.chosen(questions[one.id], one, where) for one in exam.questions}
        return Variant(number, code, chosen, student)

    def chosen(self, data: object, question: Question, variant: str) -> Chosen:
        where = f"question {question.id} of {variant}"
        table = self.table(data, where)
        self.keys(table, QUESTION_KEYS, where)
        shapes = {name: tensor.shape for name, tensor in varying(question)}
        values = self.table(table["values"], f"the values of {where}")
        self.keys(values, shapes, f"the values of {where}")
        found = {}
        for name, shape in shapes.items():
            try:
                found[name] = read_nested(values[name], shape)
            except ValueError as error:
                raise self.error(f"{name} in {where}: {error}") from None
        domains = {name: one.names for name, one in question.vary.items() if isinstance(one, Activations)}
        functions = self.table(table["functions"], f"the functions of {where}")
        self.keys(functions, domains, f"the functions of {where}")
        for name, names in domains.items():
            if functions[name] not in names:
                tip = hint(str(functions[name]), names) or f"it is one of {listing(names)}"
                raise self.error(f"{name} in {where} is {kind(functions[name])}", tip)
        return Chosen(found, {name: str(functions[name]) for name in domains})

    def distinct(self, exam: Exam, variants: Iterable[Variant]) -> None:
        """No two variants have the same numbers in a question that varies."""
        for question in (one for one in exam.questions if one.vary):
            seen: dict[object, str] = {}
            for variant in variants:
                chosen = variant.chosen[question.id]
                numbers = tuple((name, tuple(tensor)) for name, tensor in sorted(chosen.values.items()))
                other = seen.setdefault((numbers, tuple(sorted(chosen.functions.items()))), variant.code)
                if other != variant.code:
                    raise self.error(
                        f"the variants {other} and {variant.code} have the same numbers in question {question.id}",
                        "each has numbers of its own",
                    )

    # ── of what kind a thing is ──

    def table(self, value: object, what: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.error(f"{what} is {kind(value)}, expected is a table")
        return value

    def listed(self, value: object, what: str) -> list[Any]:
        if not isinstance(value, list):
            raise self.error(f"{what} is {kind(value)}, expected is a list")
        return value

    def text(self, value: object, what: str) -> str:
        if not isinstance(value, str):
            raise self.error(f"{what} is {kind(value)}, expected is a text")
        return value

    def keys(self, table: Mapping[str, object], expected: Iterable[str], what: str) -> None:
        """These keys and no others."""
        names = list(expected)
        for key in table:
            if key not in names:
                tip = hint(key, names) or (f"there are {listing(names, 'and')}" if names else None)
                raise self.error(f"{what} has {shown(key)}, which the exam does not know", tip)
        for name in names:
            if name not in table:
                raise self.error(f"{what} has no {shown(name)}")

    def different(self, what: str, values: Sequence[object]) -> None:
        """Each of them once."""
        seen: set[object] = set()
        for value in values:
            if value in seen:
                raise self.error(f"two variants have the {what} {shown(value)}")
            seen.add(value)
