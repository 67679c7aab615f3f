"""One scene, three hands: TikZ for LaTeX, native Typst for the PDF, SVG for Markdown and the web.

All three place the same marks at the same places at the same sizes; arrow heads are drawn as triangles, so that no
format's own arrows decide how a figure looks. Colours by role stand in ``PALETTE`` and nowhere else.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from html import escape

from derive.errors import Unsupported
from derive.report import modules, tiles
from derive.report.figures.formula import AXIS, CM_PER_POINT, Setting, set_formula
from derive.report.figures.glyphs import GLYPHS
from derive.report.figures.labels import ARROW
from derive.report.scene import PATHS, Bare, Box, Circle, Label, Line, Mark, Modules, Polyline, Scene, Tiles

# role -> ground, outline, ink (six hexadecimal digits each)
PALETTE = {
    "input": ("DCEBFA", "2F6299", "16202C"),
    "hidden": ("DFF3E3", "2F7A48", "16202C"),
    "output": ("EDE4F8", "6B4BA1", "16202C"),
    "loss": ("FBE3E4", "B23A48", "16202C"),
    "bias": ("FFF0DC", "B85C14", "A34E0C"),
    "edge": ("FFFFFF", "7D8793", "1F2933"),
    "bias-edge": ("FFFFFF", "C46A1B", "A34E0C"),
    "gradient": ("FFFFFF", "B23A48", "A52A3A"),
    "plain": ("FFFFFF", "4A5561", "1F2933"),
    "grid": ("FFFFFF", "D3D9E0", "1F2933"),
    "faded": ("FFFFFF", "8A94A0", "6B7580"),
}
# Told apart by those who do not see all colours (after Okabe and Ito), each dark enough for small letters.
PATH_COLOURS = ("0067A5", "B8460E", "00734F", "9A3B78", "6B5500", "3B3F45")
PALETTE |= {role: ("FFFFFF", colour, colour) for role, colour in zip(PATHS, PATH_COLOURS, strict=True)}
HEAD_LENGTH, HEAD_WIDTH = ARROW, 0.125  # cm
LINE_WIDTH, OUTLINE_WIDTH = 0.55, 0.8  # points
DASH = (2.4, 1.8)  # points on, points off
# role -> width of a line and its dashes, in points, where that tells what a colour alone would tell
STROKES: dict[str, tuple[float, tuple[float, ...]]] = {
    "path-1": (1.5, ()),
    "path-2": (1.5, (5.0, 2.2)),
    "path-3": (1.7, (1.5, 1.7)),
    "path-4": (1.4, (7.0, 1.8, 1.4, 1.8)),
    "path-5": (0.8, ()),
    "path-6": (1.0, (3.0, 1.3, 1.2, 1.3, 1.2, 1.3)),
}


def _tikz_dash(dashes: tuple[float, ...]) -> str:
    pattern = " ".join(f"{'off' if k % 2 else 'on'} {length}pt" for k, length in enumerate(dashes))
    return f", dash pattern={pattern}" if dashes else ""


def _typst_dash(dashes: tuple[float, ...]) -> str:
    return f"(array: ({', '.join(f'{length}pt' for length in dashes)}), phase: 0pt)" if dashes else "none"


TIKZ_STYLES = "".join(
    f"\\definecolor{{derive-{role}-{part}}}{{HTML}}{{{colour}}}\n"
    for role, colours in PALETTE.items()
    for part, colour in zip(("ground", "line", "ink"), colours, strict=True)
) + (
    # Ten points scaled down, not a smaller design size: as wide as the layout has measured.
    "\\tikzset{derive-text/.style={anchor=base, inner sep=0pt, outer sep=0pt, font=\\fontsize{10}{12}\\selectfont},\n"
    f"  derive-line/.style={{line width={LINE_WIDTH}pt}},\n"
    f"  derive-dashed/.style={{line cap=butt{_tikz_dash(DASH)}}},\n"
    + "".join(
        f"  derive-{role}-stroke/.style={{line width={width}pt{_tikz_dash(dashes)}}},\n"
        for role, (width, dashes) in STROKES.items()
    )
    + f"  derive-outline/.style={{line width={OUTLINE_WIDTH}pt}}}}\n"
)
"""What a LaTeX preamble needs, after ``xcolor`` and ``tikz``, to draw scenes."""

TYPST_STYLES = (
    "#let derive-palette = (\n"
    + "".join(
        f'  "{role}": ({", ".join(f"rgb({chr(34)}#{colour}{chr(34)})" for colour in colours)}),\n'
        for role, colours in PALETTE.items()
    )
    + ")\n#let derive-strokes = (\n"
    + "".join(f'  "{role}": ({width}pt, {_typst_dash(dashes)}),\n' for role, (width, dashes) in STROKES.items())
    + ")\n"
    + tiles.TYPST_STYLES
    + modules.TYPST_STYLES
    + f"""#let derive-scene(width, height, body) = box(width: width, height: height, body)
#let derive-stroke(role, dashed) = {{
  let dash = if dashed {{ {_typst_dash(DASH)} }} else {{ none }}
  let (thickness, dash) = derive-strokes.at(role, default: ({LINE_WIDTH}pt, dash))
  (paint: derive-palette.at(role).at(1), thickness: thickness, dash: dash, join: "round")
}}
#let derive-line(x1, y1, x2, y2, role, dashed) = place(top + left, line(
  start: (x1, y1), end: (x2, y2), stroke: derive-stroke(role, dashed)))
#let derive-polyline(role, dashed, start, ..corners) = place(top + left, curve(
  stroke: derive-stroke(role, dashed), curve.move(start), ..corners.pos().map(corner => curve.line(corner))))
#let derive-head(role, ..corners) = place(top + left, polygon(fill: derive-palette.at(role).at(1), ..corners))
#let derive-circle(x, y, radius, role) = place(top + left, dx: x - radius, dy: y - radius, circle(
  radius: radius, fill: derive-palette.at(role).at(0), stroke: {OUTLINE_WIDTH}pt + derive-palette.at(role).at(1)))
#let derive-box(x, y, width, height, role) = place(top + left, dx: x - width / 2, dy: y - height / 2, rect(
  width: width, height: height, radius: 2pt,
  fill: derive-palette.at(role).at(0), stroke: {OUTLINE_WIDTH}pt + derive-palette.at(role).at(1)))
#let derive-ground(x, y, width, height, angle) = place(top + left, dx: x - width / 2, dy: y - height / 2, rotate(
  angle, rect(width: width, height: height, fill: white)))
// The edges make the middle of the box the axis of the formula, whatever hangs on its letters (up to the leading).
#let derive-text(x, y, size, angle, role, body) = {{
  set text(size: size, fill: derive-palette.at(role).at(2), top-edge: {AXIS + 0.55}em, bottom-edge: {AXIS - 0.55:.2f}em)
  set par(leading: 0.65em)
  context {{
    let m = measure(body)
    place(top + left, dx: x - m.width / 2, dy: y - m.height / 2, rotate(angle, body))
  }}
}}
"""
)
"""What a Typst document needs once to draw scenes. The place of a formula is measured by Typst itself."""


def _number(value: float) -> str:
    """Up to three decimals, no sign on zero."""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _tikz_stroke(mark: Line | Polyline) -> str:
    """Colour, width and dashes of a line."""
    stroke = f"derive-{mark.role}-stroke" if mark.role in STROKES else "derive-line"
    return f"derive-{mark.role}-line, {stroke}" + (", derive-dashed" if mark.dashed else "")


def _shaft(line: Line) -> tuple[tuple[float, float], tuple[tuple[float, float], ...]]:
    """Where the drawn line ends, and the corners of its arrow head (none without an arrow)."""
    length = math.hypot(line.x2 - line.x1, line.y2 - line.y1)
    if not line.arrow or length <= HEAD_LENGTH:
        return (line.x2, line.y2), ()
    c, s = (line.x2 - line.x1) / length, (line.y2 - line.y1) / length
    x, y = line.x2 - HEAD_LENGTH * c, line.y2 - HEAD_LENGTH * s
    wide = HEAD_WIDTH / 2
    end = (x + 0.2 * HEAD_LENGTH * c, y + 0.2 * HEAD_LENGTH * s)  # under the head, so that no gap shows
    return end, ((line.x2, line.y2), (x - wide * s, y + wide * c), (x + wide * s, y - wide * c))


# ── TikZ ────────────────────────────────────────────────────────────────────────────────────────────────────────


def scene_to_tikz(scene: Scene) -> str:
    """A ``tikzpicture``, for a preamble with ``amsmath``, ``xcolor``, ``tikz`` and ``TIKZ_STYLES``; no TikZ library."""

    def at(x: float, y: float) -> str:
        return f"({_number(x)},{_number(y)})"

    def text(x: float, y: float, latex: str, size: float, role: str, angle: float = 0.0) -> str:
        drop = AXIS * size * CM_PER_POINT
        x, y = x + drop * math.sin(math.radians(angle)), y - drop * math.cos(math.radians(angle))
        turned = f", rotate={_number(angle)}" if angle else ""
        look = f"derive-text, text=derive-{role}-ink, scale={_number(size / 10)}{turned}"
        return f"\\node[{look}] at {at(x, y)} {{${latex}$}};"

    lines = ["\\begin{tikzpicture}[x=1cm, y=1cm]"]
    lines.append(f"\\useasboundingbox (0,0) rectangle {at(scene.width, scene.height)};")
    for mark in scene.marks:
        look = f"draw=derive-{mark.role}-line, fill=derive-{mark.role}-ground, derive-outline"
        match mark:
            case Line():
                end, head = _shaft(mark)
                lines.append(f"\\draw[{_tikz_stroke(mark)}] {at(mark.x1, mark.y1)} -- {at(*end)};")
                if head:
                    corners = " -- ".join(at(*corner) for corner in head)
                    lines.append(f"\\fill[derive-{mark.role}-line] {corners} -- cycle;")
            case Circle():
                lines.append(f"\\path[{look}] {at(mark.x, mark.y)} circle[radius={_number(mark.radius)}];")
            case Box():
                low = at(mark.x - mark.width / 2, mark.y - mark.height / 2)
                high = at(mark.x + mark.width / 2, mark.y + mark.height / 2)
                lines.append(f"\\path[{look}, rounded corners=2pt] {low} rectangle {high};")
            case Label() if mark.ground:
                half_w, half_h = _number(mark.width / 2), _number(mark.height / 2)
                lines.append(
                    f"\\fill[white, shift={{{at(mark.x, mark.y)}}}, rotate={_number(mark.angle)}]"
                    f" (-{half_w},-{half_h}) rectangle ({half_w},{half_h});"
                )
            case Polyline():
                stops = [at(*point) for point in mark.points]
                rows = (" -- ".join(stops[k : k + 8]) for k in range(0, len(stops), 8))
                lines.append(f"\\draw[{_tikz_stroke(mark)}, line join=round] " + "\n  -- ".join(rows) + ";")
            case Tiles():
                lines += tiles.to_tikz(mark, at)
            case Modules():
                lines.append(modules.to_tikz(mark, at))
        if not isinstance(mark, Bare) and mark.latex:
            angle = mark.angle if isinstance(mark, Label) else 0.0
            lines.append(text(mark.x, mark.y, mark.latex, mark.size, mark.role, angle))
    return "\n".join([*lines, "\\end{tikzpicture}"]) + "\n"


# ── Typst ───────────────────────────────────────────────────────────────────────────────────────────────────────


def scene_to_typst(scene: Scene, math: Callable[[str], str]) -> str:
    """Typst markup of a box as large as the scene, for a document with ``TYPST_STYLES``.

    ``math`` turns LaTeX into Typst mathematics without dollar signs.
    """

    def cm(*values: float) -> str:
        return ", ".join(f"{_number(value)}cm" for value in values)

    def down(y: float) -> float:
        return scene.height - y

    lines = [f"#derive-scene({cm(scene.width, scene.height)}, {{"]
    for mark in scene.marks:
        role = f'"{mark.role}"'
        match mark:
            case Line():
                end, head = _shaft(mark)
                ends = cm(mark.x1, down(mark.y1), end[0], down(end[1]))
                lines.append(f"  derive-line({ends}, {role}, {str(mark.dashed).lower()})")
                if head:
                    lines.append(f"  derive-head({role}, {', '.join(f'({cm(x, down(y))})' for x, y in head)})")
            case Circle():
                lines.append(f"  derive-circle({cm(mark.x, down(mark.y), mark.radius)}, {role})")
            case Box():
                lines.append(f"  derive-box({cm(mark.x, down(mark.y), mark.width, mark.height)}, {role})")
            case Label() if mark.ground:
                box = cm(mark.x, down(mark.y), mark.width, mark.height)
                lines.append(f"  derive-ground({box}, {_number(-mark.angle)}deg)")
            case Polyline():
                corners = ", ".join(f"({cm(x, down(y))})" for x, y in mark.points)
                lines.append(f"  derive-polyline({role}, {str(mark.dashed).lower()}, {corners})")
            case Tiles():
                lines += tiles.to_typst(mark, lambda x, y: cm(x, down(y)), cm)
            case Modules():
                lines.append(modules.to_typst(mark, lambda x, y: cm(x, down(y))))
        if not isinstance(mark, Bare) and mark.latex:
            angle = _number(-mark.angle) if isinstance(mark, Label) else "0"
            place = f"{cm(mark.x, down(mark.y))}, {_number(mark.size)}pt, {angle}deg, {role}"
            lines.append(f"  derive-text({place}, ${math(mark.latex)}$)")
    return "\n".join([*lines, "})"]) + "\n"


# ── SVG ─────────────────────────────────────────────────────────────────────────────────────────────────────────

PIXELS_PER_CM = 50.0
SVG_MARGIN = 0.25  # cm of white ground around the scene
WORD_FONTS = "'Noto Serif SC', 'Songti SC', SimSun, 'Noto Serif CJK SC', serif"


def scene_to_svg(scene: Scene, title: str = "", description: str = "", math: Callable[[str], str] | None = None) -> str:
    """A self-contained SVG on a white ground: letters are outlines, so that it looks alike wherever it is shown.

    ``title`` and ``description`` are read out to those who cannot see it. A formula that is too rich for
    ``figures.formula`` is ``Unsupported``, unless ``math`` (see ``scene_to_typst``) lets Typst draw the whole.
    """
    try:
        return _Svg(scene).text(title, description)
    except Unsupported:
        if math is None:
            raise
        return _svg_by_typst(scene, title, description, math)


class _Svg:
    """Writes one scene; collects the glyphs it has used."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.used: set[str] = set()
        self.body: list[str] = []
        for mark in scene.marks:
            self.draw(mark)

    def x(self, x: float) -> float:
        return (x + SVG_MARGIN) * PIXELS_PER_CM

    def y(self, y: float) -> float:
        return (self.scene.height - y + SVG_MARGIN) * PIXELS_PER_CM

    def draw(self, mark: Mark) -> None:
        if isinstance(mark, Tiles):
            self.body += tiles.to_svg(mark, self.x, self.y, _short, CM_PER_POINT * PIXELS_PER_CM)
            return
        if isinstance(mark, Modules):
            self.body.append(modules.to_svg(mark, self.x, self.y, _short))
            return
        ground, line, ink = ("#" + colour for colour in PALETTE[mark.role])
        pixel = CM_PER_POINT * PIXELS_PER_CM
        n = _short
        look = f'fill="{ground}" stroke="{line}" stroke-width="{n(OUTLINE_WIDTH * pixel)}"'
        match mark:
            case Line():
                end, head = _shaft(mark)
                path = f"M{n(self.x(mark.x1))} {n(self.y(mark.y1))}L{n(self.x(end[0]))} {n(self.y(end[1]))}"
                self.body.append(f'<path d="{path}" {self.stroke(mark)}/>')
                if head:
                    corners = "L".join(f"{n(self.x(x))} {n(self.y(y))}" for x, y in head)
                    self.body.append(f'<path d="M{corners}Z" fill="{line}"/>')
                return
            case Polyline():
                path = "M" + "L".join(f"{n(self.x(x))} {n(self.y(y))}" for x, y in mark.points)
                self.body.append(f'<path d="{path}" fill="none" {self.stroke(mark)} stroke-linejoin="round"/>')
                return
            case Circle():
                place = f'cx="{n(self.x(mark.x))}" cy="{n(self.y(mark.y))}" r="{n(mark.radius * PIXELS_PER_CM)}"'
                self.body.append(f"<circle {place} {look}/>")
            case Box():
                self.body.append(f'<rect {self.corner(mark)} rx="{n(2 * pixel)}" {look}/>')
            case Label() if mark.ground:
                turn = f"rotate({n(-mark.angle)} {n(self.x(mark.x))} {n(self.y(mark.y))})"
                turned = f' transform="{turn}"' if mark.angle else ""
                self.body.append(f'<rect {self.corner(mark)} fill="#FFFFFF"{turned}/>')
        if mark.latex:
            angle = mark.angle if isinstance(mark, Label) else 0.0
            self.formula(set_formula(mark.latex), mark.x, mark.y, mark.size, angle, ink)

    def stroke(self, mark: Line | Polyline) -> str:
        """Colour, width and dashes of a line."""
        pixel = CM_PER_POINT * PIXELS_PER_CM
        thick, dashes = STROKES.get(mark.role, (LINE_WIDTH, DASH if mark.dashed else ()))
        dash = f' stroke-dasharray="{" ".join(_short(part * pixel) for part in dashes)}"' if dashes else ""
        return f'stroke="#{PALETTE[mark.role][1]}" stroke-width="{_short(thick * pixel)}"{dash}'

    def corner(self, mark: Box | Label) -> str:
        left, top = self.x(mark.x - mark.width / 2), self.y(mark.y + mark.height / 2)
        width, height = mark.width * PIXELS_PER_CM, mark.height * PIXELS_PER_CM
        return f'x="{_short(left)}" y="{_short(top)}" width="{_short(width)}" height="{_short(height)}"'

    def formula(self, box: Setting, x: float, y: float, size: float, angle: float, ink: str) -> None:
        """Glyphs in their own units (thousandths of the size, y upwards) within one turned and scaled group."""
        em = size * CM_PER_POINT * PIXELS_PER_CM
        turned = f" rotate({_short(-angle)})" if angle else ""
        move = f"translate({_short(self.x(x))} {_short(self.y(y))}){turned} scale({_number(em / 1000)})"
        dx, dy = -500 * box.width, 1000 * AXIS
        parts = []
        for key, gx, gy, scale in box.glyphs:
            self.used.add(key)
            flip = f"scale({_short(scale)} -{_short(scale)})" if scale != 1 else "scale(1 -1)"
            there = f"translate({round(dx + 1000 * gx)} {round(dy - 1000 * gy)}){flip}"
            parts.append(f'<use href="#{_glyph_id(key)}" transform="{there}"/>')
        for rx, ry, width, height in box.rules:
            place = f'x="{round(dx + 1000 * rx)}" y="{round(dy - 1000 * (ry + height))}"'
            parts.append(f'<rect {place} width="{round(1000 * width)}" height="{round(1000 * height)}"/>')
        for word, wx, wy, scale, width in box.words:
            place = f'x="{round(dx + 1000 * wx)}" y="{round(dy - 1000 * wy)}" font-size="{round(1000 * scale)}"'
            fit = f'textLength="{round(1000 * width)}" lengthAdjust="spacingAndGlyphs"'
            parts.append(f'<text {place} {fit} font-family="{WORD_FONTS}">{escape(word)}</text>')
        self.body.append(f'<g transform="{move}" fill="{ink}">{"".join(parts)}</g>')

    def text(self, title: str, description: str) -> str:
        width = _short((self.scene.width + 2 * SVG_MARGIN) * PIXELS_PER_CM)
        height = _short((self.scene.height + 2 * SVG_MARGIN) * PIXELS_PER_CM)
        opening, closing = _frame(width, height, f"0 0 {width} {height}", title, description)
        glyphs = "".join(f'<path id="{_glyph_id(key)}" d="{GLYPHS[key][5]}"/>\n' for key in sorted(self.used))
        return f"{opening}<defs>\n{glyphs}</defs>\n" + "\n".join(self.body) + f"\n{closing}"


def _short(value: float) -> str:
    """Up to two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _glyph_id(key: str) -> str:
    """The same name for the same outline in every file, so that drawings on one page cannot disturb each other."""
    return f"derive-{key[0]}{ord(key[1]):x}"


def _frame(width: str, height: str, view: str, title: str, description: str) -> tuple[str, str]:
    """The outermost element, its text alternative and the white ground (dark pages included)."""
    mark = f"{zlib.crc32(f'{title}|{description}|{view}'.encode()):08x}"
    named = [(tag, text) for tag, text in (("title", title), ("desc", description)) if text]
    labelled = f' aria-labelledby="{" ".join(f"{tag}-{mark}" for tag, _ in named)}"' if named else ""
    words = "".join(f'<{tag} id="{tag}-{mark}">{escape(text)}</{tag}>\n' for tag, text in named)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}"'
        f' height="{height}" viewBox="{view}" role="img"{labelled}>\n{words}'
        f'<rect width="{width}" height="{height}" rx="8" fill="#FFFFFF"/>\n',
        "</svg>\n",
    )


def _svg_by_typst(scene: Scene, title: str, description: str, math: Callable[[str], str]) -> str:
    """The same by Typst: for formulas that only a typesetter can set. Costs about a tenth of a second."""
    import typst  # only where it is needed

    page = f"#set page(width: auto, height: auto, margin: {SVG_MARGIN}cm, fill: none)\n"
    drawn = typst.compile((page + TYPST_STYLES + scene_to_typst(scene, math)).encode(), format="svg").decode()
    inner = drawn[drawn.index(">") + 1 : drawn.rindex("</svg>")]
    points = [(side + 2 * SVG_MARGIN) / CM_PER_POINT for side in (scene.width, scene.height)]
    scale = CM_PER_POINT * PIXELS_PER_CM
    width, height = (_short(side * scale) for side in points)
    opening, closing = _frame(width, height, f"0 0 {width} {height}", title, description)
    return f'{opening}<g transform="scale({_number(scale)})">{inner}</g>\n{closing}'
