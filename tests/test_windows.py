"""Convolutions and pooling: numbers by hand, exact adjoints, sizes, messages, what is printed, stacks of matrices."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from flint import fmpq

from derive.calculus.functions import Functions
from derive.errors import ProblemError, Unsupported
from derive.graph import build, ops
from derive.graph.expression import Expression, leaf
from derive.graph.ops import OPS, evaluate
from derive.graph.planes import plane
from derive.numbers import arrays
from derive.problem import Problem, find_problem
from derive.problem.size_terms import canonical, plus, worked_out
from derive.report.compose import compose
from derive.report.document import Display, Document
from derive.report.result import as_json
from derive.solution import solve
from derive.solution.part import Part
from derive.solution.values import Balls
from readback_tokens import as_centred

Shape = tuple[int, ...]


def solved(equations: str, given: dict[str, Any], **more: Any) -> Part:
    """The one part of a problem with all its checks."""
    return solve(Problem.from_equations(equations, given=given, **more)).parts[0]


def values(part: Part, name: str) -> Any:
    """A value as plain numbers, nested."""
    return arrays.to_floats(part.value_of(name)).tolist()


# ── by hand ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_filter_of_two_on_an_image_of_three_by_hand() -> None:
    """Forward, the filter's derivative (correlation) and the image's (full convolution), worked out on paper."""
    part = solved(
        "z = conv2d(x, w)\nL = sum(g * z)",
        {"x": [[1, 2, 0], [0, 1, 3], [2, 1, 1]], "g": [[1, 2], [0, -1]]},
        parameters={"w": [[1, -1], [2, 1]]},
        ask={"gradients": ["w", "x"]},
    )
    assert values(part, "z") == [[0, 7], [4, 1]]
    assert values(part, "dL/dw") == [[1 * 1 + 2 * 2 - 1, 1 * 2 + 0 - 3], [0 + 2 - 1, 1 + 6 - 1]]
    assert values(part, "dL/dx") == [[1, 1, -2], [2, 4, 3], [0, -2, -1]]


def test_a_signal_by_hand() -> None:
    """A signal of four and a filter of two: three places; with stride 2 and a zero on either side three as well."""
    given = {"x": [1, 2, -1, 3], "w": [2, 1]}
    assert values(solved("z = conv1d(x, w)", given), "z") == [[4, 3, 1]]
    assert values(solved("z = conv1d(x, w, stride=2, padding=1)", given), "z") == [[1, 3, 6]]


def test_rows_are_channels_of_a_signal_and_a_bias_is_one_for_each_filter() -> None:
    """Two matrices of conv1d are one signal with channels and one filter; 1 x F x 1 x 1 is a bias for filters."""
    part = solved("z = conv1d(x, w)", {"x": [[1, 2, 3], [0, 1, -1]], "w": [[1, 0], [2, 1]]})
    assert values(part, "z") == [[1 + 1, 2 + 2 - 1]]
    given = {"x": [[[[1, 2], [3, 4]]]], "w": [[[[1]]], [[[-1]]]], "b": [[[[10]], [[20]]]]}
    assert values(solved("z = conv2d(x, w) + b", given), "z") == [[[[11, 12], [13, 14]], [[19, 18], [17, 16]]]]


def test_the_first_of_equals_wins_a_window() -> None:
    """Of equal entries of a window the first, read row by row, gets the whole derivative; windows may overlap."""
    part = solved(
        "y = max_pool(x, 2)\nL = sum(g * y)",
        {"x": [[1, 5, 0, 0], [5, 2, 0, 0]], "g": [[3, 7]]},
        ask={"gradients": ["x"]},
    )
    assert values(part, "dL/dx") == [[0, 3, 7, 0], [0, 0, 0, 0]]
    over = solved("y = max_pool(x, 2, stride=1)\nL = sum(y)", {"x": [[1, 4, 2]]}, ask={"gradients": ["x"]})
    assert values(over, "y") == [[4, 4]]
    assert values(over, "dL/dx") == [[0, 2, 0]]


def test_equal_values_of_a_function_are_seen_to_be_equal() -> None:
    """tanh of equal numbers ties as the numbers do, although no precision could tell the two balls apart."""
    part = solved("y = max_pool(tanh(x), 2)\nL = sum(y)", {"x": [[1, 1], [0, 1]]}, ask={"gradients": ["x"]})
    found = values(part, "dL/dx")
    assert found[0][0] != 0
    assert found[0][1] == found[1] == [0, 0] or found[0][1] == 0


def test_a_mean_hands_back_even_shares() -> None:
    """Every entry of a 2 x 2 window gets a quarter."""
    part = solved(
        "y = avg_pool(x, 2)\nL = sum(g * y)",
        {"x": [[1, 2, 3, 4], [5, 6, 7, 8]], "g": [[4, 8]]},
        ask={"gradients": ["x"]},
    )
    assert values(part, "y") == [[3.5, 5.5]]
    assert values(part, "dL/dx") == [[1, 1, 2, 2]] * 2


# ── the rows ────────────────────────────────────────────────────────────────────────────────────────────────────

KIND = Balls(Functions(find_problem("case1")))


def exact(shape: Shape, seed: int) -> Any:
    """Exact numbers."""
    numbers = np.random.default_rng(seed).integers(-9, 10, size=shape)
    return arrays.filled(shape, [fmpq(int(x), 7) for x in numbers.ravel()])


def whole_shape(node: Expression) -> Shape:
    """A shape whose sizes are numbers."""
    return tuple(int(size) for size in node.shape)


def sliding() -> list[Expression]:
    """Every linear row of the module, on matrices and on stacks, with strides and zeros around."""
    found = []
    for name, image, filters in (
        ("conv1d", (1, 6), (1, 3)), ("conv1d", (2, 2, 5), (3, 2, 3)), ("conv2d", (5, 4), (2, 3)),
        ("conv2d", (2, 2, 4, 3), (3, 2, 2, 2)),
    ):  # fmt: skip
        for at in ((1, 0), (2, 1), (2, 0)):
            x, w = leaf("x", image), leaf("w", filters)
            z = ops.apply(name, x, w, at=at)
            g = leaf("g", z.shape)
            found += [
                z,
                ops.apply(f"{name}_image", g, w, at=(*at, image)),
                ops.apply(f"{name}_filter", x, g, at=(*at, filters)),
            ]
    for image in ((4, 6), (1, 2, 4, 4)):
        x = leaf("x", image)
        for at in ((2, 2), (2, 1)):
            g = leaf("g", ops.apply("avg_pool", x, at=at).shape)
            found += [ops.apply("avg_pool", x, at=at), ops.apply("avg_pool_back", g, at=(*at, image))]
            u = leaf("u", image)
            found += [ops.apply("max_pool_pick", u, x, at=at), ops.apply("max_pool_route", g, x, at=at)]
    return found


@pytest.mark.parametrize(
    "node", sliding(), ids=lambda node: f"{node.op}-{'x'.join(map(str, node.shape))}-{node.at[:2]}"
)
def test_every_pullback_is_the_exact_adjoint(node: Expression) -> None:
    """Each op is linear in each operand, so <U, op(x, w)> = <x, pullback by x> = <w, pullback by w>, exactly."""
    env: dict[str, Any] = {
        str(name): exact(whole_shape(arg), k) for k, (name, arg) in enumerate((arg.name, arg) for arg in node.args)
    }
    env["U"] = exact(whole_shape(node), 9)
    upstream = leaf("U", node.shape)
    whole = (evaluate(node, lambda name: env[name], KIND) * env["U"]).sum()
    for operand, handed in zip(node.args, OPS[node.op].pullback(upstream, node), strict=True):
        if handed.op == "zeros":  # which entries are taken does not change
            continue
        back = evaluate(handed, lambda name: env[name], KIND)
        assert back.shape == env[str(operand.name)].shape
        assert (back * env[str(operand.name)]).sum() == whole


def test_a_stack_is_its_matrices() -> None:
    """Every matrix of a convolution with channels is the sum over channels of convolutions of single matrices."""
    given = {"x": exact_list((2, 2, 4, 4), 1), "w": exact_list((3, 2, 2, 2), 2), "b": exact_list((1, 3, 1, 1), 3)}
    part = solved(
        "z = conv2d(x, w, padding=1) + b\nh = tanh(z)\nL = sum(max_pool(h, 5)**2)",
        given,
        ask={"gradients": ["x", "w", "b"]},
    )
    checked = 0
    rights = [(e.name, e.value) for e in part.network.equations] + list(part.shape_adjoints.items())
    for name, value in rights:
        if len(value.shape) != 4:
            continue
        for lead in np.ndindex(*whole_shape(value)[:2]):
            inner = plane(value, lead)
            assert inner is not None, (name, value.op)
            found, whole = part.run.expression(inner), part.run.value(name)[lead]
            assert np.max(np.abs(arrays.to_floats(found - whole))) < 1e-25
            checked += 1
    assert checked > 30


def exact_list(shape: Shape, seed: int) -> Any:
    """Numbers as they stand in a problem file."""
    return np.random.default_rng(seed).integers(-9, 10, size=shape).tolist()


# ── sizes ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_linear_sizes_have_one_text() -> None:
    """A size is told by its text: terms in one order, numbers worked out, whatever was written."""
    for written, meant in (
        ("N-k+1", "N - k + 1"), ("1 + N - k", "N - k + 1"), ("2*N - N", "N"), ("k - k + 3", 3), ("N + 2 - 5", "N - 3"),
        ("-k + N", "N - k"), ("3*m", "3*m"),
    ):  # fmt: skip
        assert canonical(written) == meant
    assert plus((1, "N"), (-1, "k"), (1, 1)) == "N - k + 1"
    assert worked_out("2*N - k + 1", {"N": 5, "k": 3}) == 8
    for wrong in ("N*k", "N k", "", "N +", "N // 2", "2N"):
        with pytest.raises(ValueError, match=r"linear|invalid"):
            canonical(wrong)


def test_sizes_are_carried_and_compared() -> None:
    """N - k + 1 is carried on; [shapes] may say it, in any order of terms; another size does not fit."""
    shapes = {"x": [1, "N"], "w": [1, "k"], "t": [1, "1 - k + N"]}
    network = build(Problem.from_equations("z = conv1d(x, w)\nL = sum((z - t)**2)", shapes=shapes))
    assert network.shape("z") == (1, "N - k + 1")
    images = {"x": ["N", "C", "H", "W"], "w": ["F", "C", 3, 3], "b": [1, "F", 1, 1]}
    deep = build(Problem.from_equations("z = conv2d(x, w, padding=1) + b\ny = avg_pool(z, 2, 1)", shapes=images))
    assert deep.shape("y") == ("N", "F", "H - 1", "W - 1")
    wrong = Problem.from_equations("z = conv1d(x, w)\nL = sum(z - t)", shapes=shapes | {"t": [1, "N"]})
    with pytest.raises(ProblemError, match=r"1 x \(N - k \+ 1\) and 1 x N do not fit"):
        build(wrong)
    with pytest.raises(Unsupported, match="stride = 2 needs numbers for its sizes"):
        build(Problem.from_equations("z = conv1d(x, w, stride=2)", shapes=shapes))


def test_names_of_sizes_are_tried_on_numbers_that_leave_places() -> None:
    """The trial of a problem without numbers takes N so large that the filter fits."""
    asked = {"gradients": ["x", "w"], "upstream": {"of": "J", "at": "z"}}
    part = solve(Problem.from_equations("z = conv1d(x, w)", shapes={"x": [1, "A"], "w": [1, "B"]}, ask=asked)).parts[0]
    assert next(check.figure for check in part.checks if check.check == "instance").endswith("A = 4, B = 3")


# ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────

IMAGE, FILTER = [[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("equation", "given", "message"),
    [
        ("conv2d(x, w)", {"x": FILTER, "w": IMAGE}, "a window of size 3 does not fit on 2 entries"),
        ("conv2d(x, w)", {"x": [[IMAGE]], "w": FILTER}, "takes an image N, C, H, W and a filter F, C, h, w, or two matrices"),
        ("conv2d(x, w)", {"x": [[IMAGE, IMAGE]], "w": [[FILTER]]}, "the image has 2 channels and the filter 1 channel"),
        ("conv1d(x, w)", {"x": [[1], [2], [3]], "w": [[1], [2]]}, "3 channels and the filter 2 channels.*a signal is a row"),
        ("conv1d(x, w)", {"x": [[IMAGE]], "w": [[FILTER]]}, "takes an image N, C, W"),
        ("conv2d(x, w, stride=0)", {"x": IMAGE, "w": FILTER}, "stride of conv2d is a positive whole number"),
        ("conv2d(x, w, padding=-1)", {"x": IMAGE, "w": FILTER}, "padding of conv2d is a whole number from 0 on"),
        ("conv2d(x, w, padding=2)", {"x": IMAGE, "w": FILTER}, "a padding of 2 is too large for a window of size 2"),
        ("conv2d(x, w, dilation=2)", {"x": IMAGE, "w": FILTER}, "conv2d has no option dilation"),
        ("conv2d(x)", {"x": IMAGE}, "conv2d takes 2 values, found are 1"),
        ("max_pool(x, 4)", {"x": IMAGE}, "a window of size 4 does not fit on 3 entries"),
        ("max_pool(x, 2)", {"x": IMAGE}, "windows of size 2, 2 apart, do not fit on 3 entries: 1 would be left over"),
        ("max_pool(x)", {"x": IMAGE}, "max_pool is given no n"),
        ("avg_pool(x, 0)", {"x": IMAGE}, "n of avg_pool is a positive whole number"),
        ("max_pool(x, 1)", {"x": 3}, "max_pool takes a matrix or an image N, C, H, W; this is a scalar"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_message(equation: str, given: dict[str, Any], message: str) -> None:
    """One message with the line of the equation for every way in which windows can fail to fit."""
    with pytest.raises(ProblemError, match=message) as caught:
        build(Problem.from_equations(f"y = {equation}", given=given))
    assert caught.value.line == 1


def test_a_huge_convolution_is_refused_before_it_is_tried() -> None:
    """A convolution of more products than can be certified is told so, with its line."""
    big = np.ones((1, 8, 64, 64)).tolist()
    filters = np.ones((32, 8, 5, 5)).tolist()
    with pytest.raises(ProblemError, match="made of 23,040,000 products; the most is 5,000,000") as caught:
        solve(Problem.from_equations("y = conv2d(x, w)", given={"x": big, "w": filters}))
    assert caught.value.line == 1


def test_numerator_layout_is_for_matrices() -> None:
    """A stack has no transpose: the layout is refused, with the name and its size."""
    given = {"x": [[IMAGE]], "w": [[FILTER]]}
    problem = Problem.from_equations(
        "L = sum(conv2d(x, w))", given=given, ask={"gradients": ["w"]}, convention={"layout": "numerator"}
    )
    with pytest.raises(ProblemError, match=r'layout = "numerator" is for .*; x is 1 x 1 x 3 x 3'):
        solve(problem)


def test_names_of_the_entries_of_a_stack_stand_row_by_row() -> None:
    """[names] of a stack has its rows one below another; another number of rows is told."""
    given = {"x": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]}
    part = solved("L = sum(x**2)", given, names={"x": "a b; c d; e f; g h"}, ask={"gradients": ["x"]})
    assert part.explicit is not None
    assert [str(symbol) for symbol in part.explicit.symbols("x").ravel()] == list("abcdefgh")
    with pytest.raises(ProblemError, match="the names of x are 2 × 2, and x is 2 × 2 × 2"):
        solved("L = sum(x**2)", given, names={"x": "a b; c d"})


# ── what is printed ─────────────────────────────────────────────────────────────────────────────────────────────


def displays(document: Document) -> list[str]:
    """Every chain of a document as text."""
    blocks = (block for block in document.blocks if isinstance(block, Display))
    return [
        f"{chain.left} {' '.join(f'{link.relation} {chr(32).join(link.terms)}' for link in chain.links)}"
        for block in blocks
        for chain in block.chains
    ]


def test_a_convolution_is_shown_as_a_lecturer_shows_it() -> None:
    """Index formula, entries by hand, patches times filter, correlation, full convolution with the turned filter."""
    document = compose(solve(find_problem("tests/problems/conv2d-by-hand.toml")))
    shown = displays(document)
    for wanted in (
        r"z_{ij} = \sum_{p=1}^{2} \sum_{q=1}^{2} w_{pq}\, x_{i+p-1,j+q-1} + b",
        r"\frac{\partial L}{\partial w_{pq}} = \sum_{i=1}^{2} \sum_{j=1}^{2} \frac{\partial L}{\partial z_{ij}}\, x_{i+p-1,j+q-1}",
        r"\frac{\partial L}{\partial x_{kl}} = \sum_{i=1}^{2} \sum_{j=1}^{2} \frac{\partial L}{\partial z_{ij}}\, w_{k-i+1,l-j+1}",
    ):
        assert wanted in shown
    whole = "\n".join(shown)
    for piece in (
        r"z_{11} = w_{11} x_{11} + w_{12} x_{12} + w_{21} x_{21} + w_{22} x_{22} + b",
        r"\begin{pmatrix} x_{11} & x_{12} & x_{21} & x_{22} \\ x_{12} & x_{13} & x_{22} & x_{23} \\",
        r"\operatorname{pad}_{1}\left(\frac{\partial L}{\partial Z}\right) \star \operatorname{rot}_{180}(W)",
        r"X \star \frac{\partial L}{\partial Z}",
        r"\star \begin{pmatrix} w_{22} & w_{21} \\ w_{12} & w_{11} \end{pmatrix}",
        r"\frac{\partial L}{\partial w_{11}} = \frac{\partial L}{\partial z_{11}} \, \frac{\partial z_{11}}{\partial w_{11}} +",
    ):
        assert piece in whole, piece


def test_a_signal_is_shown_as_a_banded_matrix() -> None:
    """conv1d of a row is the row times the matrix whose columns hold the filter one window further each."""
    whole = "\n".join(displays(compose(solve(find_problem("tests/problems/conv1d-by-hand.toml")))))
    assert r"\begin{pmatrix} w_1 & 0 & 0 \\ w_2 & w_1 & 0 \\ w_3 & w_2 & w_1 \\ 0 & w_3 & w_2 \\ 0 & 0 & w_3" in whole
    assert r"\operatorname{flip}(w)" in whole


def test_pooling_shows_which_entry_won() -> None:
    """Winners are listed by name; backward a mask of zeros and ones times the derivatives spread over their windows."""
    whole = "\n".join(displays(compose(solve(find_problem("tests/problems/conv-relu-pool-dense.toml")))))
    assert r"P_{12} = \max(a_{13}, a_{14}, a_{23}, a_{24}) = a_{13} = 4" in whole
    assert r"\operatorname{mask}_{2}(A) \odot \operatorname{up}_{2}\left(\frac{\partial L}{\partial P}\right)" in whole
    assert (
        r"\begin{pmatrix} 1 & 0 & 1 & 0 \\ 0 & 0 & 0 & 0 \\ 0 & 0 & 0 & 0 \\ 0 & 1 & 1 & 0 \end{pmatrix} \odot" in whole
    )


def test_a_stack_is_printed_matrix_by_matrix_and_in_part_where_it_is_large() -> None:
    """X_{1,2,:,:} is a matrix of its own; of many matrices some are shown, and how many is said."""
    shown = displays(compose(solve(find_problem("tests/problems/conv2d-stride-padding-channels.toml"))))
    assert any(as_centred(text).startswith(r"X_{1,2,:,:} = \begin{pmatrix} 0 & 1 & -2") for text in shown)
    assert any(r"z_{1,f,i,j} = \sum_{c=1}^{2} \sum_{p=1}^{2} \sum_{q=1}^{2}" in text for text in shown)
    many = Problem.from_equations(
        "z = relu(conv2d(x, w))\nL = sum(z)",
        given={"x": exact_list((3, 2, 5, 5), 1)},
        parameters={"w": exact_list((4, 2, 3, 3), 2)},
        ask={"update": {"rate": 0.1}},
    )
    document = compose(solve(many))
    said = "".join(getattr(span, "text", "") for block in document.blocks for span in getattr(block, "spans", ()))
    assert "4 of 12 matrices are written out here (8 left out" in said
    assert all(a != b for a, b in pairwise(displays(document)))


def test_json_nests_as_the_shape() -> None:
    """Four axes are lists four deep."""
    problem = Problem.from_equations("z = conv2d(x, w)", given={"x": [[IMAGE]], "w": [[FILTER]]})
    found = as_json(solve(problem))["parts"][0]["values"]["z"]
    assert found == [[[["37", "47"], ["67", "77"]]]]


def test_second_derivatives_go_through_windows() -> None:
    """The Hessian of a loss behind a convolution and a pooling: what was chosen stays chosen."""
    part = solved(
        "z = conv1d(x, w)\np = max_pool(z, 2)\nL = sum(p**2) / 2",
        {"x": [1, 2, -1, 3, 0]},
        parameters={"w": [2, 1]},
        ask={"gradients": ["d2L/dw2"]},
    )
    # z = (4, 3, 1, 6): the winners are z_1 = w·(1, 2) and z_4 = w·(3, 0), so that the Hessian is the sum of x xᵀ.
    assert values(part, "d2L/dw2") == [[1 + 9, 2 + 0], [2 + 0, 4 + 0]]
