"""The variants of an exam: for each question that varies its own search, one variant after the other, all distinct."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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

MOST_VARIANTS = 10_000
PILOTS = 24  # numbers of which the most usual are those of the first variant
FIRST_BOUND = 100  # candidates that are tried in one go; it doubles
MOST_DECIMALS = 4  # quantities whose decimals alone are left out, to see what blocks
MOST_IDLE = 10_000  # tried for activations that have never fitted, while there are others
Progress = Callable[[int, int], None]
Functions = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Unused:
    """Activations that no variant could have. ``blocked`` are the requirements in their way, each of which, left out
    alone, lets them be had; where there is none such, what they were most often rejected for."""

    functions: Functions
    blocked: tuple[Constraint, ...]

    def __str__(self) -> str:
        names = listing([f"{name} = {function}" for name, function in self.functions], "and")
        reason = f": what blocks it is {listing([str(one) for one in self.blocked], 'and')}" if self.blocked else ""
        return f"no variant has {names}{reason}"


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
    unused: tuple[Unused, ...] = ()


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
    if count > MOST_VARIANTS:
        raise ProblemError(f"{count:,} variants: at most {MOST_VARIANTS:,} are searched for", file=exam.file)
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
        self.live = Stream(seed, question.id, "kinds").shuffled(self.kinds)
        self.doubtful: list[Functions] = []  # given up early, and not searched to the end
        self.taken: dict[tuple[Functions, tuple[fmpq, ...]], int] = {}
        self.used = Counter[Functions]()
        self.windows: dict[Functions, tuple[int, int]] = {}
        self.restarts = 0
        self.complete = True  # whether all that was given up was searched to its end

    def variant(self, number: int) -> Chosen:
        """The next one, of the activations that have been had least often. Raises ``ProblemError``."""
        patience = MOST_IDLE
        while self.live:
            kind = min(self.live, key=lambda one: self.used[one])
            most = patience if len(self.kinds) > 1 and kind not in self.windows else None
            try:
                point = self._next(kind, number, most) if kind in self.windows else self._first(kind, most)
            except Blocked as blocked:
                self.live.remove(kind)
                if most is not None and not blocked.complete:
                    self.doubtful.append(kind)
                else:
                    self.complete = self.complete and blocked.complete
                if not self.live and self.doubtful:  # there is nothing easier left
                    self.live, self.doubtful, patience = self.doubtful, [], Engine.limit
                continue
            self.taken[kind, point.values] = point.operations
            self.used[kind] += 1
            return self._chosen(kind, point.values)
        raise self._refused(number)

    def statistics(self) -> Searched:
        """Of everything so far."""
        rejections = self._rejections()
        candidates = sum(engine.candidates for engine in self.engines.values())
        never = [kind for kind in self.kinds if not self.used[kind] and kind not in self.live]
        unused = tuple(Unused(kind, self._in_the_way(kind)) for kind in never)
        return Searched(self.question.id, candidates, self.restarts, rejections, tuple(self.taken.values()), unused)

    def _rejections(self) -> tuple[tuple[Constraint, int], ...]:
        rejections: Counter[Constraint] = Counter()
        for engine in self.engines.values():
            rejections.update(engine.rejections)
        return tuple(sorted(rejections.items(), key=lambda item: (-item[1], str(item[0]))))

    def _first(self, kind: Functions, patience: int | None) -> Point:
        """Of some that meet everything else, the one whose count of operations is near to that of the most others.

        Other activations make other counts (zeros of a ReLU are not counted): each have a window of their own.
        """
        found: list[Point] = []
        for pilot in range(PILOTS):
            stream = Stream(self.seed, self.question.id, "pilot", pilot)
            try:
                found.append(self._find(kind, stream, None, patience))
            except Blocked:
                if not found:
                    raise
                break
        best = max(found, key=lambda one: sum(self._inside(one, other) for other in found))
        self.windows[kind] = self._window(best.operations)
        return best

    def _window(self, operations: int) -> tuple[int, int]:
        share = self.question.require.operations
        low, high = operations * (1 - share), operations * (1 + share)
        return max(int(low.ceil()), 0), int(high.floor())

    def _inside(self, first: Point, other: Point) -> bool:
        low, high = self._window(first.operations)
        return low <= other.operations <= high

    def _next(self, kind: Functions, number: int, patience: int | None) -> Point:
        return self._find(kind, Stream(self.seed, self.question.id, number), self.windows[kind], patience)

    def _find(self, kind: Functions, stream: Stream, window: tuple[int, int] | None, patience: int | None) -> Point:
        """Numbers that meet everything, after some restarts. Raises ``Blocked``, after ``patience`` candidates too."""
        engine = self._engine(kind)
        start, most, attempt = engine.candidates, min(patience or engine.limit, engine.limit), 0
        while True:
            bound = min(FIRST_BOUND << attempt // 4, engine.limit)
            attempt += 1
            try:
                return engine.find(stream, bound, window, lambda values: (kind, values) in self.taken)
            except Blocked as blocked:
                self.restarts += 1
                if blocked.complete or engine.candidates - start >= most:
                    raise

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

    def _refused(self, number: int) -> ProblemError:
        found, id = len(self.taken), self.question.id
        rejections = self._rejections()
        if self.complete and found:
            message = (
                f"question {id}: only {found} distinct variants meet what is required, and {self.count} are asked for"
            )
        elif self.complete:
            message = f"question {id}: no numbers meet what is required; every choice was tried"
        else:
            candidates = sum(engine.candidates for engine in self.engines.values())
            message = (
                f"question {id}: no numbers for variant {number} met what is required, after {candidates:,} candidates"
            )
        most = [f"{constraint} ({times:,})" for constraint, times in rejections if times][:3]
        if most:
            message += "; most were rejected for want of " + listing(most, "and")
        kinds = list(dict.fromkeys(f'"{one}"' for kind in self.engines for one in self._blocking(kind)))
        tip = f"without this there are some: {listing(kinds)}" if kinds else "let more entries vary, or ask for less"
        if self.complete and found:
            tip = f"let more entries vary, over more numbers, or ask for {found} variants"
        return ProblemError(message, file=self.exam.file, line=self.question.line, hint=tip)

    def _in_the_way(self, kind: Functions) -> tuple[Constraint, ...]:
        """What blocks activations that no variant has."""
        found = tuple(one for one in self._blocking(kind) if one.quantity or one.kind != "decimals")
        if found or kind not in self.engines:
            return found
        counted = [item for item in self.engines[kind].rejections.items() if item[1]]
        return tuple(one for one, _ in sorted(counted, key=lambda item: (-item[1], str(item[0]))))[:1]

    def _blocking(self, kind: Functions) -> Iterator[Constraint]:
        """The requirements each of which, left out alone, lets numbers be found for some activations."""
        engine = self.engines.get(kind)
        if not isinstance(engine, Engine):
            return
        part = self._part(kind)
        program = trace(part, self.question)
        required = tests(program, self.question, asked_derivatives(self.question, part))
        domains = [self._numbers(cell.name) for cell in program.cells]
        found: set[str] = set()
        for constraint in _loosened(engine.rejections):
            if constraint.kind in found:  # all decimals, where those of one quantity are enough
                continue
            fewer = Engine(program, _without(required, constraint), domains)
            window = None if constraint.kind == "operations" else self.windows.get(kind)
            try:
                fewer.find(Stream(self.seed, self.question.id, "without", str(constraint)), 5000, window)
            except Blocked:
                continue
            found.add(constraint.kind)
            yield constraint


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


def _loosened(rejections: Mapping[Constraint, int]) -> list[Constraint]:
    """What may be left out: one constraint of each kind, and of decimals those of the quantities rejected most often,
    then all of them; the most frequent first. Numbers that are not new are no requirement."""
    found: list[Constraint] = []
    kinds: Counter[str] = Counter()
    for one, times in sorted(rejections.items(), key=lambda item: (-item[1], str(item[0]))):
        if times and one.kind not in ("distinct", "value", "labels"):
            kinds[one.kind] += 1
            if kinds[one.kind] <= (MOST_DECIMALS if one.kind == "decimals" else 1):
                found.append(one)
    if kinds["decimals"]:
        bounds = {one.number for one in rejections if one.kind == "decimals"}
        found.append(Constraint("decimals", "", bounds.pop() if len(bounds) == 1 else "so many"))
    return found


def _without(required: Tests, left_out: Constraint) -> Tests:
    """The same without one constraint: decimals of the quantity that it names, of anything else the whole kind."""
    named = left_out.kind == "decimals" and left_out.quantity != ""

    def kept(one: Constraint) -> bool:
        return one.kind != left_out.kind or (named and one.quantity != left_out.quantity)

    places = {slot: limit for slot, limit in required.places.items() if kept(limit[1])}
    return Tests(places, tuple(test for test in required.others if kept(test.constraint)))
