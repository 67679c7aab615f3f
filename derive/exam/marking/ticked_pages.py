"""What pages and summaries say of ticks: what was ticked, what is wrong with it, and what would have been right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from derive.exam.marking.judge import RIGHT, WRONG, Judged, Marked
from derive.exam.marking.spoken import Named, points
from derive.exam.marking.tick import JUDGED, LINE, letter
from derive.exam.marking.ticked import TickBench, Ticked
from derive.exam.papers.solution import found
from derive.report.catalogue import Catalogue
from derive.report.compose.slips import told
from derive.report.document import Block, Heading, Math, Paragraph, Spans, Table, Text
from derive.review.explanation import Explanation


class SpokenTicks(Named):
    """One question that is answered by ticking, in one language."""

    def __init__(self, bench: TickBench, words: Catalogue) -> None:
        super().__init__(bench.asked_in(words).sheet, words)
        self.bench = bench

    def symbol(self, quantity: str) -> Spans:
        """What is ticked: a quantity, or the wrong line."""
        if self.bench.question.form == "find_error" and quantity == LINE:
            return self.words.say("marking.line")
        return super().symbol(quantity)

    def option(self, one: Ticked, option: int) -> Spans:
        """An option as the paper prints it: a letter, or a word of a judgement."""
        if one.ticks.form == "judge":
            return self.words.say("marking.quoted", word=self.words.text(f"exam_paper.{JUDGED[option]}"))
        return (Text(f"({letter(option)})"),)

    def blocks(self, marked: Marked) -> Iterator[Block]:
        """The answers of a student in a table, and behind it whatever is wrong with them."""
        words = self.words
        head = tuple(words.say(f"marking.{key}") for key in ("quantity", "answer", "verdict", "points"))
        yield Table(head, tuple(map(self._row, marked.entries)), "lllr")
        wrong = [one for one in marked.entries if one.verdict != RIGHT]
        if wrong:
            yield Heading(2, words.say("marking.slips"))
        for one in wrong:
            if len(marked.entries) > 1:
                yield Heading(3, self.symbol(one.quantity))
            yield Paragraph(words.sentences(self._said(self.bench.ticked[one.quantity], one)))

    def _row(self, one: Judged) -> tuple[Spans, ...]:
        words = self.words
        ticked: Spans = (Text("–"),)
        if one.tick is not None:
            ticked = self.option(self.bench.ticked[one.quantity], one.tick.option)
        said = words.text("marking.earned", points=points(words, one.points), of=points(words, one.of))
        return self.symbol(one.quantity), ticked, words.say(f"marking.{one.verdict}"), (Text(said),)

    def _said(self, ticked: Ticked, one: Judged) -> Iterator[Spans]:
        """What is wrong with an option, where one was ticked, and which is the right one."""
        words, tick = self.words, one.tick if one.verdict == WRONG else None
        if ticked.choice is not None:
            options, right = ticked.choice.options, ticked.right
            slip = options[tick.option].slip if tick is not None else None
            if tick is not None and slip is not None:
                yield words.say("marking.option_wrong", letter=f"({letter(tick.option)})")
                yield from self._told(slip, one.quantity)
            formula = Math(options[right].latex)
            yield words.say("marking.option_right", letter=f"({letter(right)})", formula=formula)
        elif ticked.ticks.form == "judge":
            [line] = ticked.lines
            key = "marking.equation_right" if line.slip is None else "marking.equation_wrong"
            yield words.say(key, formula=Math(line.shown))
            if line.slip is not None:
                yield from self._told(line.slip, one.quantity)
                yield words.say("quiz.should", formula=Math(line.right))
        else:
            if tick is not None:
                yield words.say("marking.line_right", letter=f"({letter(tick.option)})")
            yield found(self.bench.asked_in(words), ticked.lines)

    def _told(self, slip: Explanation, quantity: str) -> tuple[Spans, ...]:
        """The slip without the name of the quantity that stands above it."""
        bare = replace(slip, quantity="") if slip.quantity == quantity and not slip.names else slip
        return told(self.sheet, [bare])

    def counted(self, ticks: Iterable[tuple[str, int, int]]) -> Table:
        """How many students ticked what, quantity by quantity."""
        words = self.words
        head = (words.say("marking.quantity"), words.say("marking.ticked"), words.say("marking.students"))
        rows = tuple(
            (self.symbol(quantity), self.option(self.bench.ticked[quantity], option), (Text(str(count)),))
            for quantity, option, count in ticks
        )
        return Table(head, rows, "llr")
