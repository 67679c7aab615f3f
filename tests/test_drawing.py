"""A scene as SVG, TikZ and Typst, and formulas set by their glyphs as Typst sets them."""

from __future__ import annotations

import importlib.util
import math
import re
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest
import typst

from derive.errors import ProblemError, Unsupported
from derive.report.drawing import PALETTE, TIKZ_STYLES, TYPST_STYLES, scene_to_svg, scene_to_tikz, scene_to_typst
from derive.report.figures import glyphs
from derive.report.figures.formula import CM_PER_POINT, measure, set_formula
from derive.report.scene import ROLES, Bare, Circle, Label, Scene
from derive.report.typst_math import to_typst
from drawn import SCENES
from geometry import Point

# ── formulas ────────────────────────────────────────────────────────────────────────────────────────────────────

FORMULAS = [
    "w_1 = 0.1", "w_{10} = -0.45", "w^{(1)}_{11} = 0.35", "\\hat{y}_1", "h_1", "z_{h1}", "b_1 = 0.5", "+1", "x^2",
    "h = \\sigma(z_h)", "h = \\tanh(z)", "\\alpha_i, \\beta", "a - b", "w_5 = 1/3", "784 \\times 128", "\\vdots", "E",
    "\\hat{w}^{(2)}_{12}", "\\log x", "W_{1} \\odot h", "\\ell = 0.5", "\\mathrm{ReLU}(z_1)", "\\partial E",
    "h_{1}^{(10)}", "y_1", "p^2", "\\hat{h}_1^2",
]  # fmt: skip


def by_typst(latex: str) -> tuple[float, list[Point]]:
    """Width, and the place of each glyph over the baseline, in em, as Typst sets the formula."""
    head = "#set page(width: auto, height: auto, margin: 0pt, fill: none)\n"
    head += "#set text(size: 100pt, top-edge: .8em, bottom-edge: -.3em)\n"
    drawn = typst.compile((head + f"${to_typst(latex)}$").encode(), format="svg").decode()
    view = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)
    assert view is not None
    base = 80.0 if float(view[2]) <= 110.01 else math.nan
    places = re.findall(r'matrix\(1 0 0 -1 ([-\d.]+) ([-\d.]+)\)"><use', drawn)
    return float(view[1]) / 100, sorted((float(x) / 100, (base - float(y)) / 100) for x, y in places)


@pytest.mark.parametrize("latex", FORMULAS)
def test_set_as_typst_sets(latex: str) -> None:
    """A formula is as wide here as in Typst, and its glyphs stand at the same places."""
    width, places = by_typst(latex)
    box = set_formula(latex)
    assert box.width == pytest.approx(width, abs=0.006)
    if len(places) == len(box.glyphs):  # Typst draws a word as one group
        mine = sorted((x, y) for _, x, y, _ in box.glyphs)
        for (x1, y1), (x2, y2) in zip(mine, places, strict=True):
            assert x1 == pytest.approx(x2, abs=0.006)
            assert math.isnan(y2) or y1 == pytest.approx(y2, abs=0.006)


@pytest.mark.parametrize("latex", ["\\mathbf{x} = 1", "\\sqrt{2}", "\\frac{1}{3}", "\\mathbb{R}^2", "\\text{隐藏层}"])
def test_never_too_narrow(latex: str) -> None:
    """What cannot be set here exactly is estimated on the large side."""
    if latex.startswith("\\text"):
        width = 3.0  # one em a character
    else:
        width, _ = by_typst(latex)
    assert measure(latex, 10)[0] >= 10 * CM_PER_POINT * (width - 0.006)


def test_size() -> None:
    """Twice the size, twice the room."""
    small, large = measure("w_1 = 0.1", 5), measure("w_1 = 0.1", 10)
    assert large == pytest.approx((2 * small[0], 2 * small[1]))


def test_unsupported() -> None:
    """A formula that only a typesetter can set is told to be one, and a wrong one to be wrong."""
    with pytest.raises(Unsupported):
        set_formula("\\begin{pmatrix} 1 \\end{pmatrix}")
    with pytest.raises(ProblemError):
        set_formula("w_{1")


def tool() -> ModuleType:
    """The script that cuts the glyphs."""
    spec = importlib.util.spec_from_file_location("make_glyphs", Path(__file__).with_name("make_glyphs.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_glyphs_are_the_fonts() -> None:
    """The shipped outlines are those that Typst draws; `python tests/make_glyphs.py` accepts a new font."""
    assert Path(glyphs.__file__).read_text(encoding="utf-8") == tool().module()


@pytest.mark.parametrize("name", SCENES)
def test_typst_compiles(name: str) -> None:
    """Typst draws the scene without a warning, in a box of the scene's size."""
    scene = SCENES[name]
    page = "#set page(width: auto, height: auto, margin: 0pt)\n" + TYPST_STYLES + scene_to_typst(scene, to_typst)
    drawn: Any
    drawn, warnings = typst.Compiler().compile_with_warnings(input=page.encode(), format="svg")
    assert warnings == []
    view = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn)
    assert view is not None
    assert float(view[1]) * CM_PER_POINT == pytest.approx(scene.width, abs=0.002)
    assert float(view[2]) * CM_PER_POINT == pytest.approx(scene.height, abs=0.002)


@pytest.mark.parametrize("name", SCENES)
def test_svg_stands_alone(name: str) -> None:
    """The SVG is well formed, defines every glyph it uses, refers to nothing outside, and is read out by its words."""
    text = scene_to_svg(SCENES[name], "A <network> & more", "x_1 to h_1")
    root = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    used = {use.get("href", "") for use in root.iter(space + "use")}
    assert used == {f"#{path.get('id')}" for path in root.iter(space + "path") if path.get("id")}
    assert used
    assert root.find(space + "title") is not None
    assert root.findtext(space + "title") == "A <network> & more"
    assert root.findtext(space + "desc") == "x_1 to h_1"
    for name_ in root.get("aria-labelledby", "").split():
        assert any(element.get("id") == name_ for element in root)
    assert not re.search(r"url\(|<image|@import|https?://(?!www\.w3\.org)", text)
    assert scene_to_svg(SCENES[name], "A <network> & more", "x_1 to h_1") == text


def test_svg_of_chinese_words() -> None:
    """Letters that the glyph table does not have are left to the reader's fonts, held to the room they were given."""
    scene = Scene(4, 1, (Label(2, 0.5, "\\text{隐藏层 h}", 2, 0.5),))
    text = scene_to_svg(scene)
    assert ">隐藏层</text>" in text
    assert 'textLength="3000"' in text


def test_svg_of_rich_formulas() -> None:
    """What only a typesetter can set is unsupported, or drawn by Typst where its mathematics is at hand."""
    scene = Scene(4, 1, (Label(2, 0.5, "\\mathbf{x} = \\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", 2, 0.5),))
    with pytest.raises(Unsupported):
        scene_to_svg(scene)
    root = ElementTree.fromstring(scene_to_svg(scene, "a vector", math=to_typst))
    assert root.findtext("{http://www.w3.org/2000/svg}title") == "a vector"


def test_every_role_has_its_look() -> None:
    """Each role of the scene vocabulary has colours, in each format's styles."""
    assert set(PALETTE) == set(ROLES)
    for role in ROLES:
        assert f'"{role}":' in TYPST_STYLES
        for part in ("ground", "line", "ink"):
            assert f"\\definecolor{{derive-{role}-{part}}}" in TIKZ_STYLES


def contrast(one: str, other: str) -> float:
    """The contrast of two colours after WCAG 2."""

    def light(colour: str) -> float:
        parts = [int(colour[k : k + 2], 16) / 255 for k in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("role", ROLES)
def test_legible(role: str) -> None:
    """Ink on its ground has a contrast of 4.5 at least, lines on white one of 3 (WCAG 2, AA; a grid is decoration)."""
    ground, line, ink = PALETTE[role]
    assert contrast(ink, ground) >= 4.5
    assert contrast(ink, "FFFFFF") >= 4.5
    assert role == "grid" or contrast(line, "FFFFFF") >= 3


def test_tikz_places_every_mark() -> None:
    """Each line, circle and formula of the scene is in the TikZ picture once, and braces balance."""
    scene = SCENES["case 1"]
    text = scene_to_tikz(scene)
    circles = [mark for mark in scene.marks if isinstance(mark, Circle)]
    lines = [mark for mark in scene.marks if isinstance(mark, Bare)]
    formulas = [mark.latex for mark in scene.marks if not isinstance(mark, Bare) and mark.latex]
    assert text.count(" circle[radius=") == len(circles)
    assert text.count("\\draw[") == len(lines)
    assert re.findall(r"\{\$(.*)\$\};", text) == formulas
    assert text.count("{") == text.count("}")


@pytest.mark.tex
@pytest.mark.parametrize("name", SCENES)
def test_tikz_compiles(name: str, tmp_path: Path) -> None:
    """XeLaTeX draws the scene with TikZ alone, without an error or an overfull box."""
    import subprocess

    preamble = "\\documentclass{article}\\usepackage[margin=2.5cm]{geometry}\\usepackage{lmodern,amsmath,tikz}\n"
    body = "\\begin{document}\\noindent\n" + scene_to_tikz(SCENES[name]) + "\\end{document}\n"
    (tmp_path / "figure.tex").write_text(preamble + TIKZ_STYLES + body, encoding="utf-8")
    command = ["xelatex", "-interaction=nonstopmode", "-halt-on-error", "figure.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
