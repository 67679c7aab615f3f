"""The variants of an exam: for each question that varies its own search, one variant after the other, all distinct."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product

from flint import fmpq

from derive.errors import ProblemError
from derive.exam.exam import Activations, Exam, Numbers, Question
from derive.exam.searching.constraints import Constraint, Test, Tests, tests
from derive.exam.searching.engine import Blocked, Engine, Point
from derive.exam.searching.program import Program, Untraceable
from derive.exam.searching.stream import Stream
from derive.exam.searching.trace import trace, varying
from derive.exam.searching.tried import Tried
from derive.exam.sets.codes import codes
from derive.exam.variant import Chosen, Variant, problem_of
from derive.numbers.tensor import Tensor
from derive.problem.wording import listing
from derive.records import dataclass
from derive.solution import Part
from derive.solution.differentiate import differentiated

PILOTS = 24  # numbers of which the most usual are those of the first variant
FIRST_BOUND = 100  # candidates that are tried in one go; it doubles
MOST_IDLE = 2_500  # tried for activations that never fit, where others do
Progress = Callable[[int, int], None]
Functions = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Searched:
    """How the search of one question went. ``rejections`` are sorted, the most frequent first.

    ``operations`` has the count of each variant, in their order; ``unused`` the activations that no variant could have.
    """

    question: str
    candidates: int
    restarts: int
    rejections: tuple[tuple[Constraint, int], ...]
    operations: tuple[int, ...]
    unused: tuple[Functions, ...] = ()


@dataclass(frozen=True)
class Found:
    """The variants of an exam, and how each question that varies was searched."""

    variants: tuple[Variant, ...]
    statistics: tuple[Searched, ...]


def search(
    exam: Exam, count: int, seed: int, students: Sequence[str] | None = None, progress: Progress | None = None
) -> Found:
    """``count`` variants of an exam, one for each of the ``students`` where there are any.

    The same exam and seed give the same variants, and fewer of them give the first of these. ``progress`` is told how
    many searches are done, and of how many. Raises ``ProblemError`` where the requirements cannot be met, with the one
    that blocks, and where there are fewer distinct variants than ``count``.
    """
    if students is not None and len(students) != count:
        raise ProblemError(f"{count} variants for {len(students)} students: each has one", file=exam.file)
    if count < 1:
        raise ProblemError(f"{count} variants: expected is 1 or more", file=exam.file)
    varied = [question for question in exam.questions if question.vary]
    if count > 1 and not varied:
        raise ProblemError(
            f"nothing varies in this exam, and {count} variants would all be the same",
            file=exam.file,
            hint='say what may change under a question: vary = { W1 = "integers -2..2" }',
        )
    chosen: list[dict[str, Chosen]] = [{question.id: Chosen() for question in exam.questions} for _ in range(count)]
    statistics = []
    for k, question in enumerate(varied):
        one = _Search(exam, question, seed, count)
        for number in range(1, count + 1):
            chosen[number - 1][question.id] = one.variant(number)
            if progress is not None:
                progress(k * count + number, len(varied) * count)
        statistics.append(one.statistics())
    named = codes(exam.name, seed, count)
    variants = tuple(
        Variant(k + 1, named[k], chosen[k], None if students is None else students[k]) for k in range(count)
    )
    return Found(variants, tuple(statistics))


class _Search:
    """The search of one question. Variants are asked for in their order."""

    def __init__(self, exam: Exam, question: Question, seed: int, count: int) -> None:
        self.exam, self.question, self.seed, self.count = exam, question, seed, count
        names = {name: domain.names for name, domain in question.vary.items() if isinstance(domain, Activations)}
        self.kinds: list[Functions] = [tuple(zip(names, one, strict=True)) for one in product(*names.values())]
        self.engines: dict[Functions, Engine | Tried] = {}
        self.live = list(self.kinds)
        self.taken: dict[tuple[Functions, tuple[fmpq, ...]], int] = {}
        self.window: tuple[int, int] | None = None
        self.restarts = 0
        self.idle = dict.fromkeys(self.kinds, 0)  # candidates of each combination until it fits for the first time
        self.fits: set[Functions] = set()
        self.complete = True  # whether all that was given up was searched to its end

    def variant(self, number: int) -> Chosen:
        """The next one. Raises ``ProblemError``."""
        kind, point = self._first() if self.window is None else self._next(number)
        self.taken[kind, point.values] = point.operations
        return self._chosen(kind, point.values)

    def statistics(self) -> Searched:
        """Of everything so far."""
        rejections: Counter[Constraint] = Counter()
        for engine in self.engines.values():
            rejections.update(engine.rejections)
        ordered = sorted(rejections.items(), key=lambda item: (-item[1], str(item[0])))
        candidates = sum(engine.candidates for engine in self.engines.values())
        used = {kind for kind, _ in self.taken}
        unused = tuple(kind for kind in self.kinds if kind not in used and kind not in self.live)
        return Searched(self.question.id, candidates, self.restarts, tuple(ordered), tuple(self.taken.values()), unused)

    def _first(self) -> tuple[Functions, Point]:
        """Of some that meet everything else, the one whose count of operations is near to that of the most others."""
        found: list[tuple[Functions, Point]] = []
        for pilot in range(PILOTS):
            stream = Stream(self.seed, self.question.id, "pilot", pilot)
            try:
                found.append(self._find(stream, None, str(pilot)))
            except Blocked as blocked:
                if not found:
                    raise self._refused(1, blocked) from None
                break
        best = max(found, key=lambda one: sum(self._inside(one[1], other[1]) for other in found))
        self.window = self._window(best[1].operations)
        return best

    def _window(self, operations: int) -> tuple[int, int]:
        share = self.question.require.operations
        low, high = operations * (1 - share), operations * (1 + share)
        return max(int(low.ceil()), 0), int(high.floor())

    def _inside(self, first: Point, other: Point) -> bool:
        low, high = self._window(first.operations)
        return low <= other.operations <= high

    def _next(self, number: int) -> tuple[Functions, Point]:
        try:
            return self._find(Stream(self.seed, self.question.id, number), self.window, str(number))
        except Blocked as blocked:
            raise self._refused(number, blocked) from None

    def _find(self, stream: Stream, window: tuple[int, int] | None, name: str) -> tuple[Functions, Point]:
        """Numbers that meet everything, after some restarts; activations in turn. Raises ``Blocked``."""
        order = stream.shuffled(self.live)
        spent = dict.fromkeys(order, 0)
        attempt = 0
        while order:
            kind = order[attempt % len(order)]
            engine = self._engine(kind)
            before = engine.candidates
            bound = min(FIRST_BOUND << (attempt // len(order) // 4), engine.limit)
            attempt += 1
            try:
                point = engine.find(stream, bound, window, lambda v, kind=kind: (kind, v) in self.taken)  # type: ignore[misc]
                self.fits.add(kind)
                return kind, point
            except Blocked as blocked:
                self.restarts += 1
                spent[kind] += engine.candidates - before
                self.idle[kind] += engine.candidates - before
                never = bool(self.fits) and kind not in self.fits and self.idle[kind] >= MOST_IDLE
                if blocked.complete or never or spent[kind] >= engine.limit:
                    self.complete = self.complete and blocked.complete
                    order = [one for one in order if one != kind]
                    self.live.remove(kind)
        raise Blocked(self.complete)

    # ── one combination of activations ──

    def _engine(self, kind: Functions) -> Engine | Tried:
        if kind not in self.engines:
            part, cells = self._part(kind), self._cells()
            gradients = asked_derivatives(self.question, part)
            try:
                program = trace(part, self.question)
            except Untraceable:
                self.engines[kind] = Tried(self.question, cells, lambda values: self._chosen(kind, values))
            else:
                required = tests(program, self.question, gradients)
                required = Tests(required.places, (*required.others, *_sums(program, part)))
                domains = [self._numbers(cell.name) for cell in program.cells]
                self.engines[kind] = Engine(program, required, domains)
        return self.engines[kind]

    def _part(self, kind: Functions) -> Part:
        chosen = {self.question.id: Chosen({}, dict(kind))}
        return differentiated(problem_of(self.question, Variant(0, "", chosen)))

    def _numbers(self, name: str) -> tuple[fmpq, ...]:
        domain = self.question.vary[name]
        assert isinstance(domain, Numbers)
        return domain.values

    def _cells(self) -> list[tuple[fmpq, ...]]:
        """What each entry may be, in the order of the data."""
        return [self._numbers(name) for name, tensor in varying(self.question) for _ in tensor]

    def _chosen(self, kind: Functions, values: Iterable[fmpq]) -> Chosen:
        rest = iter(values)
        found = {name: Tensor.of(old.shape, [next(rest) for _ in old]) for name, old in varying(self.question)}
        return Chosen(found, dict(kind))

    # ── what blocks ──

    def _refused(self, number: int, blocked: Blocked) -> ProblemError:
        found, id = len(self.taken), self.question.id
        statistics = self.statistics()
        if blocked.complete and found:
            message = (
                f"question {id}: only {found} distinct variants meet what is required, and {self.count} are asked for"
            )
        elif blocked.complete:
            message = f"question {id}: no numbers meet what is required; every choice was tried"
        else:
            message = (
                f"question {id}: no numbers for variant {number} met what is required, "
                f"after {statistics.candidates:,} candidates"
            )
        most = [f"{constraint} ({times:,})" for constraint, times in statistics.rejections if times][:3]
        if most:
            message += "; most were rejected for want of " + listing(most, "and")
        kinds = self._blocking()
        tip = f"without this there are some: {listing(kinds)}" if kinds else "let more entries vary, or ask for less"
        if blocked.complete and found:
            tip = f"let more entries vary, over more numbers, or ask for {found} variants"
        return ProblemError(message, file=self.exam.file, line=self.question.line, hint=tip)

    def _blocking(self) -> list[str]:
        """The requirements each of which, left out alone, lets numbers be found."""
        found: dict[str, None] = {}
        for kind, engine in self.engines.items():
            if not isinstance(engine, Engine):
                continue
            part = self._part(kind)
            program = trace(part, self.question)
            required = tests(program, self.question, asked_derivatives(self.question, part))
            domains = [self._numbers(cell.name) for cell in program.cells]
            for constraint in _groups(engine.rejections):
                fewer = Engine(program, _without(required, constraint.kind), domains)
                window = None if constraint.kind == "operations" else self.window
                try:
                    fewer.find(Stream(self.seed, self.question.id, "without", str(constraint)), 5000, window)
                except Blocked:
                    continue
                found.setdefault(f'"{constraint}"')
        return list(found)


def asked_derivatives(question: Question, part: Part) -> tuple[str, ...]:
    """The derivatives that a question asks for, by its steps or its problem."""
    top = part.asked.top
    names = [f"d{top}/d{name}" for name in part.asked.gradients] if top is not None else []
    names += [step for step in question.steps if "/d" in step and "@" not in step]
    return tuple(dict.fromkeys(names))


def _sums(program: Program, part: Part) -> Iterable[Test]:
    """Labels that add up to 1, by which the loss was differentiated, go on doing so."""
    for equation in part.network.equations:
        for node in equation.value.nodes():
            if node.op != "cross_entropy" or node.args[1].op != "name":
                continue
            name, axis = str(node.args[1].name), node.at[0]
            cells = [cell for cell in program.cells if cell.name == name]
            if name in part.network.class_numbers or not cells or not part.network.sums_to_one(name, axis):
                continue
            columns = int(part.network.shape(name)[1])
            lines: dict[int, list[int]] = {}
            for cell in cells:
                lines.setdefault(cell.place % columns if axis == 0 else cell.place // columns, []).append(cell.slot)
            for slots in lines.values():
                yield Test(Constraint("labels", name), tuple(slots), lambda v: sum(v, fmpq(0)) == 1)


def _groups(rejections: Mapping[Constraint, int]) -> list[Constraint]:
    """One constraint of each kind, the most frequent first; numbers that are not new are no requirement."""
    found: dict[str, Constraint] = {}
    for constraint, times in sorted(rejections.items(), key=lambda item: (-item[1], str(item[0]))):
        if times and constraint.kind not in ("distinct", "value", "labels"):
            found.setdefault(constraint.kind, constraint)
    return list(found.values())


def _without(required: Tests, kind: str) -> Tests:
    places = {} if kind == "decimals" else required.places
    return Tests(places, tuple(test for test in required.others if test.constraint.kind != kind))
