"""Turn the recorded facts of the textbook and of the published examples into claims files.

``python tests/make_claims.py TEXTBOOK.toml EXAMPLES_FOLDER`` rewrites ``tests/textbook/*.claims.toml`` and
``tests/examples/claims/*.claims.toml``. The arguments are the full records, with the arithmetic that is printed in front
of a number; without them the numbers in ``tests/`` serve, which have no arithmetic. Tests hold the files to the records.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EXPECT = {"holds": "agrees", "holds-with-rounded-intermediates": "agrees", "wrong": "wrong"}
EXPECT |= {"agree": "agrees", "carried": "carried", "mistake": "wrong", "inherited": "wrong", "lastdigit": "wrong"}
CASES = {"case1": "5.5.3", "case2": "5.5.4"}
WORDS = {"forward": "正向计算", "backward": "反向传播", "update": "参数更新"}
NOTES = {  # what is known of the errata, in the words of the record and in Chinese
    "case1.db1": "四条路径中少了两条：每个隐藏单元都通向两个输出。",
    "case1.update.b1": "沿用了 b1 的错误梯度；结果的四位小数碰巧仍对。",
    "case2.c.dldx.2": "丢了负号：印出的一行是 b 题的结果。",
}

Fact = dict[str, Any]


def textbook(facts: list[Fact]) -> Iterator[tuple[str, str]]:
    """One file for each case, with the numeric claims and the updates."""
    for case, section in CASES.items():
        found = [fact for fact in facts if fact["id"].startswith(f"{case}.") and "printed" in fact]
        lines = [
            f"# The numbers that a textbook chapter on neural networks prints in its section {section}, in the order of the text.",
            "# Made from the recorded facts by tests/make_claims.py. See tests/test_claims_held.py.",
            "",
            f'title   = {{ en = "The textbook\'s section {section}", zh = "教材第 {section} 节" }}',
            f'source  = {{ en = "Textbook chapter on neural networks, section {section}", zh = "神经网络教材章节，第 {section} 节" }}',
            f'problem = "{case}"',
        ]
        for fact in found:
            lines += ["", "[[claim]]", *pairs(textbook_claim(case, fact))]
        yield f"{case}.claims.toml", "\n".join(lines) + "\n"


def textbook_claim(case: str, fact: Fact) -> Fact:
    """A record as a claim: the book's names of entries become names with indices."""
    quantity, index, part = fact["quantity"], list(fact.get("index", ())), None
    if case == "case2":
        quantity, _, part = quantity.removesuffix(")").rpartition("(")  # yhat(a)
        quantity = quantity.replace("_", "")
        index = [] if quantity in ("yhat", "l", "dl/dyhat") else index
    else:
        quantity, index = of_entries(quantity)
    step = fact["section"].removeprefix(CASES[case]).strip(" )")
    letter, _, rest = step.partition(") ") if ") " in step else ("", "", step)
    number = rest.removeprefix("step ") if rest.startswith("step ") else ""
    where = f"步骤 {number}" if number else WORDS[rest]
    claim = {
        "id": fact["id"],
        "place": {
            "en": f"section {CASES[case]}{f' {letter})' if letter else ''}, {rest}",
            "zh": f"第 {CASES[case]} 节{f' {letter})' if letter else ''}，{where}",
        },
        "quantity": quantity,
        "index": index,
        "part": part,
        "printed": fact["printed"],
        "expression": fact.get("expression"),
        "expect": EXPECT[fact["verdict"]],
    }
    if fact["id"] in NOTES:
        claim["note"] = {"en": fact.get("why", ""), "zh": NOTES[fact["id"]]}
    return claim


SIZES = {
    "W1": (3, 2),
    "W2": (2, 2),
    "z_h": (1, 2),
    "h": (1, 2),
    "z_o": (1, 2),
    "o": (1, 2),
    "b1": (),
    "b2": (),
    "E": (),
}


def entry(name: str) -> tuple[str, list[int]]:
    """``w_7`` is entry [1, 1] of W2, ``z_h1`` entry [1, 1] of z_h."""
    if match := re.fullmatch(r"w_(\d+)", name):
        k = int(match[1]) - 1
        return ("W1", [k // 2 + 1, k % 2 + 1]) if k < 6 else ("W2", [(k - 6) // 2 + 1, (k - 6) % 2 + 1])
    if match := re.fullmatch(r"b_(\d)", name):
        return f"b{match[1]}", []
    if match := re.fullmatch(r"(z_[ho])(\d)|([ho])_(\d)", name):
        return match[1] or match[3], [1, int(match[2] or match[4])]
    return name, []


def flat(name: str, index: list[int]) -> int:
    """The position of an entry row by row, from 1."""
    return (index[0] - 1) * SIZES[name][1] + index[1] if index else 1


def of_entries(quantity: str) -> tuple[str, list[int]]:
    """One of the book's quantities: an entry, an updated entry, or the derivative of one entry by another."""
    if quantity.endswith("^new"):
        name, index = entry(quantity.removesuffix("^new"))
        return f"{name}@1", index
    if "/" not in quantity:
        return entry(quantity)
    above, below = (side.removeprefix("d") for side in quantity.split("/"))
    (top, i), (by, j) = entry(above), entry(below)
    if top == "E":
        return f"d{top}/d{by}", j
    if (top, by) in (("o", "z_o"), ("h", "z_h")):  # entry by entry: of the shape of what it is the derivative by
        return f"d{top}/d{by}", j
    return f"d{top}/d{by}", [flat(top, i), flat(by, j)]  # a Jacobian


def examples(full: Path | None) -> Iterator[tuple[str, str]]:
    """One file for each problem file that a source speaks of."""
    for path in sorted((HERE / "examples").glob("*.toml")):
        facts = tomllib.loads(path.read_text("utf-8"))
        longer = fuller(facts, full)
        for prefix, problem in facts["problems"].items():
            found = [(f, m) for f, m in zip(facts["printed"], longer, strict=True) if f["name"].startswith(prefix)]
            lines = [
                f"# What the source prints, number by number. {facts['url']}",
                "# Made from the recorded facts by tests/make_claims.py. See tests/test_claims_held.py.",
                "",
                f"source  = {text(facts['title'])}",
                f'problem = "../../problems/{problem}.toml"',
            ]
            for fact, more in found:
                lines += ["", "[[claim]]", *pairs(example_claim(facts, prefix, fact, more))]
            yield f"{problem}.claims.toml", "\n".join(lines) + "\n"


def fuller(facts: Fact, folder: Path | None) -> list[Fact]:
    """The same numbers in the full record, which has the arithmetic in front of them."""
    for path in sorted(folder.glob("*.toml")) if folder is not None else ():
        more = tomllib.loads(path.read_text("utf-8"))
        if more["title"] == facts["title"]:
            assert [f["value"] for f in more["printed"]] == [f["value"] for f in facts["printed"]]
            return list(more["printed"])
    return list(facts["printed"])


def example_claim(facts: Fact, prefix: str, fact: Fact, more: Fact) -> Fact:
    """A record as a claim: ``X.grad`` is dL/dX, ``X.new`` and ``X@1`` are after an update."""
    base, _, kind = fact["name"].partition(".")
    base, _, count = base.partition("@")
    base = facts.get("means", {}).get(base, base.removeprefix(prefix))
    file = HERE / "problems" / f"{facts['problems'][prefix]}.toml"
    problem = tomllib.loads(file.read_text("utf-8"))
    equations = [line.split("=")[0].strip() for line in problem["equations"].strip().split("\n")]
    loss = problem.get("ask", {}).get("loss", equations[-1])
    update = int(count) - facts.get("first", 0) if count else 1 if kind == "new" else None
    part = None
    if "part" in problem:  # the one that goes so far
        part = problem["part"][update is not None and update > 1]["name"]
    quantity = f"d{loss}/d{base}" if kind == "grad" else base
    return {
        "quantity": quantity if update is None else f"{quantity}@{update}",
        "index": [k + 1 for k in fact["index"]],
        "part": part,
        "printed": fact["value"],
        "expression": more.get("from_printed"),
        "expect": EXPECT[fact["verdict"]],
    }


def pairs(claim: Fact) -> Iterator[str]:
    """The lines of a claim; what is not said, and what goes without saying, is left out."""
    for key, value in claim.items():
        if value in (None, [], "") or (key, value) == ("expect", "agrees"):
            continue
        if isinstance(value, dict):
            value = "{ " + ", ".join(f"{code} = {text(of)}" for code, of in value.items()) + " }"
        elif isinstance(value, str):
            value = text(value)
        yield f"{key} = {value}"


def text(value: str) -> str:
    """A TOML text: a literal one where there is a backslash."""
    if "\\" in value and "'" not in value:
        return f"'{value}'"
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


EXPECT["wrong"] = "wrong"


def main(arguments: list[str]) -> None:
    """Write the files."""
    record = Path(arguments[0]) if arguments else None
    if record is not None:
        for name, content in textbook(tomllib.loads(record.read_text("utf-8"))["claim"]):
            (HERE / "textbook" / name).write_text(content, "utf-8")
    folder = HERE / "examples" / "claims"
    folder.mkdir(exist_ok=True)
    for name, content in examples(Path(arguments[1]) if len(arguments) > 1 else None):
        (folder / name).write_text(content, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
