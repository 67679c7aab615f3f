"""PyTorch modules as problems: outputs and gradients agree with PyTorch's own. Left out where PyTorch is not installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import derive
from derive.errors import ProblemError
from derive.oracle import Oracle
from derive.problem import Problem, problem_from_text

torch = pytest.importorskip("torch")
nn = torch.nn
F = torch.nn.functional


@pytest.fixture(autouse=True)
def _the_same_weights_each_time() -> None:
    torch.manual_seed(0)


class Module(nn.Module):  # type: ignore[misc, name-defined]
    """A module of some parts, and what forward does with them."""

    def __init__(self, run: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.run = run

    def forward(self, x: Any) -> Any:
        """Run it."""
        return self.run(self, x)


def rows(*shape: int) -> Any:
    """Some numbers in double precision."""
    return torch.randn(*shape, dtype=torch.float64)


def trained(*shape: int) -> Any:
    """A parameter."""
    return nn.Parameter(rows(*shape))


def agrees(module: Any, x: Any, target: Any = None, loss: Any = None, **options: Any) -> Problem:
    """Value and gradients of the imported problem are PyTorch's; the file that is written says the same."""
    problem = derive.from_torch(module, x, target, loss=loss, **options)
    assert problem_from_text(problem.to_toml(), problem.name) == problem
    module.zero_grad()
    out = module(x)
    out = out if loss is None else loss(out, target)
    oracle = Oracle(problem)
    top = problem.statements[-1].name
    np.testing.assert_allclose(
        np.squeeze(oracle.forward()[top]), np.squeeze(out.detach().numpy()), rtol=1e-12, atol=1e-14
    )
    if out.numel() != 1:
        return problem
    out.backward()
    captions = {text[""]: name for name, text in problem.captions.items()}
    gradients = oracle.backprop(top)
    for path, parameter in module.named_parameters():
        name = captions.get(path)
        if not parameter.requires_grad:
            assert name in problem.given
        elif name is not None:
            assert name in problem.parameters
            np.testing.assert_allclose(
                np.ravel(gradients[name]), np.ravel(parameter.grad.numpy()), rtol=1e-9, atol=1e-13, err_msg=path
            )
        else:
            assert parameter.grad is None
    return problem


def lines(problem: Problem) -> list[str]:
    """The equations as they stand."""
    return [" ".join(statement.source.split()) for statement in problem.statements]


def test_the_usual_network_reads_as_in_a_lecture() -> None:
    """Linear layers keep PyTorch's weights, outputs × inputs; the loss may be PyTorch's own."""
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    problem = agrees(net, rows(5, 3), rows(5, 2), nn.MSELoss())
    assert lines(problem) == ["z1 = x @ W1.T + b1", "h1 = tanh(z1)", "y = h1 @ W2.T + b2", "E = mean((y - t)**2)"]
    assert problem.parameters["W1"].shape == (4, 3)
    assert problem.captions["W2"] == {"": "2.weight"}
    assert problem.statements[0].comment == "layer 0 (Linear)"
    turned = derive.from_torch(net, rows(5, 3), transpose=True)
    assert lines(turned)[0] == "z1 = x @ W1 + b1"
    assert turned.parameters["W1"].shape == (3, 4)


def test_classes_stand_as_their_numbers() -> None:
    """Logits keep the letter z, and a target of class numbers is one a sample."""
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3)).double()
    problem = agrees(net, rows(4, 2), torch.tensor([0, 2, 1, 1]), nn.CrossEntropyLoss())
    assert lines(problem)[-2:] == ["z2 = h1 @ W2.T + b2", "L = cross_entropy(z2, t)"]
    agrees(net, rows(4, 2), torch.tensor([0, 2, 1, 1]), lambda z, t: F.nll_loss(F.log_softmax(z, 1), t))
    agrees(net, rows(4, 2), torch.tensor([0, 2, 1, 1]), nn.CrossEntropyLoss(reduction="sum"))


def test_a_loss_of_derive_is_taken_as_well() -> None:
    """The same loss by derive's name gives the same equations."""
    net = nn.Sequential(nn.Linear(3, 1), nn.Sigmoid()).double()
    x, t = rows(4, 3), torch.tensor([[0.0], [1.0], [1.0], [0.0]], dtype=torch.float64)
    theirs = derive.from_torch(net, x, t, loss=nn.BCELoss())
    assert derive.from_torch(net, x, t, loss=derive.BCELoss()) == theirs
    agrees(net, x, t, nn.BCELoss())
    agrees(net[0], x, t, nn.BCEWithLogitsLoss())


@pytest.mark.parametrize(
    "activation",
    [nn.Sigmoid(), nn.Tanh(), nn.ReLU(), nn.LeakyReLU(0.2), nn.ELU(), nn.GELU(), nn.SiLU(), nn.Softplus(), nn.Softmax(1),
     nn.LogSoftmax(1), nn.Identity(), nn.ReLU6(), nn.Hardtanh(-0.5, 0.5), nn.Dropout(0.5).eval()],
    ids=lambda module: type(module).__name__,
)  # fmt: skip
def test_each_activation_agrees(activation: Any) -> None:
    """Value and gradient behind a linear layer."""
    net = nn.Sequential(nn.Linear(3, 4), activation).double().eval()
    agrees(Module(lambda m, x: (m.net(x) ** 2).sum(), net=net).eval(), rows(2, 3))


FORWARDS: dict[str, tuple[Callable[..., Any], dict[str, Callable[[], Any]], tuple[int, ...]]] = {
    "skip": (lambda m, x: (x + torch.relu(m.f(x))).sum(), {"f": lambda: nn.Linear(3, 3)}, (2, 3)),
    "tied": (lambda m, x: torch.tanh(x @ m.w) @ m.w.T, {"w": lambda: trained(3, 2)}, (1, 3)),
    "tied, to a loss": (lambda m, x: ((torch.tanh(x @ m.w) @ m.w.T - x) ** 2).mean(), {"w": lambda: trained(3, 2)}, (2, 3)),
    "column": (lambda m, x: torch.sigmoid(m.w @ x + m.b).sum(), {"w": lambda: trained(2, 3), "b": lambda: trained(2)}, (3,)),
    "attention": (lambda m, x: (torch.softmax((x @ m.q) @ (x @ m.k).T / 2**0.5, -1) @ (x @ m.v)).pow(2).sum(), {k: lambda: trained(3, 2) for k in "qkv"}, (4, 3)),
    "attention, built in": (lambda m, x: F.scaled_dot_product_attention(x @ m.q, x @ m.k, x @ m.v).sum(), {k: lambda: trained(3, 4) for k in "qkv"}, (3, 3)),
    "arithmetic": (lambda m, x: ((2 - x) * m.k / (1 + x.exp()) - x.abs().sqrt() + x.sin() * x.cos() - (-x)).mean(), {"k": lambda: trained(3)}, (2, 3)),
    "reductions": (lambda m, x: (m.w * x.mean(1, keepdim=True) + x.sum(0)).norm(), {"w": lambda: trained(3)}, (2, 3)),
    "variance": (lambda m, x: ((x * m.w - (x * m.w).mean(1, keepdim=True)) / (x * m.w).var(1, unbiased=True, keepdim=True).add(1e-5).sqrt()).pow(3).sum(), {"w": lambda: trained(3)}, (2, 3)),
    "where": (lambda m, x: torch.where(x * m.w > 0, x * m.w, 0.1 * x).sum(), {"w": lambda: trained(3)}, (2, 3)),
    "a cell of an RNN": (lambda m, x: m.cell(x, m.cell(2 * x, torch.zeros(2, 4, dtype=torch.float64) + x[:, :1])).sum(), {"cell": lambda: nn.RNNCell(3, 4)}, (2, 3)),
    "loop": (lambda m, x: sum((torch.tanh(x[t] @ m.u) * m.w).sum() for t in range(x.shape[0])), {"u": lambda: trained(3, 2), "w": lambda: trained(2)}, (3, 3)),
    "batch norm, settled": (lambda m, x: (m.norm(x) ** 2).sum(), {"norm": lambda: nn.BatchNorm1d(3).eval()}, (4, 3)),
    "batch norm": (lambda m, x: (m.norm(m.f(x)) ** 3).sum(), {"norm": lambda: nn.BatchNorm1d(3), "f": lambda: nn.Linear(3, 3)}, (4, 3)),
    "layer norm": (lambda m, x: (m.norm(m.f(x)) ** 3).sum(), {"norm": lambda: nn.LayerNorm(3), "f": lambda: nn.Linear(3, 3)}, (4, 3)),
    "convolution": (lambda m, x: m.f(torch.relu(m.conv(x)).flatten(1)).sum(), {"conv": lambda: nn.Conv2d(1, 2, 2), "f": lambda: nn.Linear(8, 1)}, (1, 1, 3, 3)),
    "convolution with stride": (lambda m, x: m.conv(x).pow(2).sum(), {"conv": lambda: nn.Conv2d(2, 1, 3, stride=2, padding=1)}, (1, 2, 4, 4)),
    "one-dimensional convolution": (lambda m, x: m.conv(x).pow(2).sum(), {"conv": lambda: nn.Conv1d(1, 2, 2)}, (1, 1, 5)),
    "pooling": (lambda m, x: (m.k * F.max_pool2d(x, 2) + F.avg_pool2d(x, 2)).sum(), {"k": lambda: trained(1)}, (1, 1, 4, 4)),
    "joined": (lambda m, x: torch.cat([x @ m.w, x], dim=1).pow(2).sum(), {"w": lambda: trained(3, 2)}, (2, 3)),
    "stacked": (lambda m, x: torch.stack([x[0] * m.w, x[1]]).pow(2).sum(), {"w": lambda: trained(3)}, (2, 3)),
    "parts": (lambda m, x: sum((row * m.w).pow(2).sum() for row in x) + torch.stack(x.chunk(2, dim=1)[0].split(1)).sum(), {"w": lambda: trained(3)}, (2, 3)),
    "means of channels": (lambda m, x: (m.k * F.adaptive_avg_pool2d(x, 1)).logsumexp(1).sum(), {"k": lambda: trained(2, 1, 1)}, (1, 2, 3, 3)),
    "slices": (lambda m, x: (x[:, 1:] * m.w[0] + m.w[1, 0]).sum(), {"w": lambda: trained(2, 2)}, (2, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", FORWARDS)
def test_each_way_of_writing_forward_agrees(name: str) -> None:
    """Functions, methods and operators of PyTorch."""
    run, parts, shape = FORWARDS[name]
    module = Module(run, **{key: part() for key, part in parts.items()}).double()
    if "settled" in name:
        module.eval()
    agrees(module, rows(*shape) / 2)


def test_words_are_rows_of_a_table() -> None:
    """An embedding of some indices; the rows that no index names have the gradient 0."""
    net = nn.Sequential(nn.Embedding(5, 2), nn.Linear(2, 3)).double()
    problem = agrees(net, torch.tensor([1, 4, 1]), torch.tensor([0, 2, 1]), nn.CrossEntropyLoss())
    assert "embedding(M, x)" in problem.to_toml()
    agrees(
        Module(lambda m, x: m.table(x).flatten(1).pow(2).sum(), table=nn.Embedding(4, 2)).double(),
        torch.tensor([[1, 2], [3, 3]]),
    )


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_recurrent_layers_are_unrolled_and_rolled_up(kind: str, batch_first: bool) -> None:
    """A loop over the steps, the sample taken apart; gradients of all four weights agree."""
    layer: Any = getattr(nn, kind)(2, 3, batch_first=batch_first)
    last: Any = (lambda out: out[:, -1]) if batch_first else (lambda out: out[-1])
    net = Module(lambda m, x: m.read(last(m.layer(x)[0])), layer=layer, read=nn.Linear(3, 1)).double()
    x = rows(4, 3, 2) if batch_first else rows(3, 4, 2)
    problem = agrees(net, x, rows(4, 1), nn.MSELoss())
    assert "for t in range(1, 4):" in problem.to_toml()
    assert {"x[1]", "x[2]", "x[3]", "h[0]", "d"} <= set(problem.given)
    if kind == "RNN":
        assert "    h[t] = tanh(x[t] @ W.T + b + h[t-1] @ V.T + c)   # layer layer (RNN)\n" in problem.to_toml()
    state = Module(
        lambda m, x: m.layer(x)[1].squeeze(0).sum() if kind != "LSTM" else m.layer(x)[1][1].sum(), layer=layer
    )
    agrees(state.double(), x)


def test_weights_of_single_precision_keep_their_shortest_decimal() -> None:
    """0.1 in single precision is meant as 0.1, and names the same float; exactly, it is a binary fraction."""
    net = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([[0.1, -0.3]]))
    problem = derive.from_torch(net, torch.tensor([[1.0, 2.0]]))
    assert "W = [0.1, -0.3]" in problem.to_toml()
    for entry, weight in zip(problem.parameters["W"], net.weight.flatten(), strict=True):
        assert np.float32(float(entry.p) / float(entry.q)) == weight.item()
    exact = derive.from_torch(net, torch.tensor([[1.0, 2.0]]), exact=True)
    assert float(exact.parameters["W"].entries[0].q) == 2.0**27
    assert [float(e.p) / float(e.q) for e in exact.parameters["W"]] == net.weight.flatten().tolist()


def test_tied_weights_are_one_parameter_and_frozen_ones_are_data() -> None:
    """Two layers that share a weight share its gradient; what needs no gradient stands under [given]."""
    one, other = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
    other.weight = one.weight
    net = nn.Sequential(one, nn.Tanh(), other).double()
    problem = agrees(net, rows(2, 2), rows(2, 2), nn.MSELoss())
    assert len(problem.parameters) == 1
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1)).double()
    net[0].requires_grad_(False)
    problem = agrees(net, rows(2, 2), rows(2, 1), nn.MSELoss())
    assert set(problem.parameters) == {"W2", "b2"}
    assert {"W1", "b1"} <= set(problem.given)


def test_a_solution_of_an_imported_module_is_certified() -> None:
    """The whole way: derivatives derived, checked by three witnesses, and PyTorch's to twelve digits."""
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    x, t = torch.tensor([[1.0, -2.0]], dtype=torch.float64), torch.tensor([[0.5]], dtype=torch.float64)
    solution = derive.solve(derive.from_torch(net, x, t, loss=nn.MSELoss(), ask={"update": {"rate": 0.1}}))
    nn.MSELoss()(net(x), t).backward()
    np.testing.assert_allclose(solution.value("dE/dW1").floats(), net[0].weight.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (lambda: nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5)), r"Sequential, layer 1 \(Dropout\): dropout that draws its mask"),
        (lambda: Module(lambda m, x: torch.fft.fft(x).real), r"test_from_torch.py line \d+: the operation fft_fft .*supported are .*linear"),
        (lambda: Module(lambda m, x: x.cumsum(1)), "the operation cumsum"),
        (lambda: Module(lambda m, x: (x, x)), "forward gives 2 outputs"),
        (lambda: Module(lambda m, x: x if x.sum() > 0 else -x), r"Module: torch.export cannot trace it"),
        (lambda: Module(lambda m, x: x @ x), "Module: torch.export cannot trace it"),
        (lambda: nn.GELU(approximate="tanh"), "gelu with approximate = tanh"),
        (lambda: nn.Linear(3, 2)(torch.ones(3)), "is no torch.nn.Module"),
    ],
)  # fmt: skip
def test_what_has_no_place_in_a_problem_is_one_message(module: Any, message: str) -> None:
    """It names the operation, the layer or line where it stands, and what is supported."""
    with pytest.raises(ProblemError, match=message):
        derive.from_torch(module(), torch.ones(2, 3))
