"""Formulas for the tests of the converters: every command of the subset, alone and in company, and generated matrices."""

from __future__ import annotations

_WRITTEN = r"""
x
2x
x_1x_2
w_1x_1+w_3x_2+w_5x_3+b_1
f'(x)
f''(x)^{2}
{}+x
=-1
x=-1
-x
a-b
a\cdot -b
(-1)
[1]
a/b
0.1\cdot 0.2
0.5(0.1-0.2)
w_{10}
w^{(1)}_{ij}
z_{h1}
x^{2}_{1}
x_i^2
e^{-x}
e^{-z_{h1}}
\sigma'(z)
\sigma^{\prime}(z)
\frac{1}{1+e^{-x}}
\tfrac{1}{2}
\dfrac{1}{2}
\frac{\partial E}{\partial w_1}
\frac{\partial E}{\partial W_1}
\frac{\partial^{2} E}{\partial x^{2}}
\dfrac{\partial E}{\partial o_1}\cdot\dfrac{\partial o_1}{\partial z_{o1}}
\sqrt{x}
\sqrt[3]{x+1}
\sqrt{x^2+y^2}
\left(\frac{a}{b}\right)
\left(\frac{a}{b}\right)^{2}
\left[\frac{a}{b}\right]
\left\{\frac{a}{b}\right\}
\left|\frac{a}{b}\right|
\left.\frac{a}{b}\right|_{x=0}
\lbrace 1, 2\rbrace
\{1\}
\bigl(x\bigr)
\Bigl(\frac{x}{y}\Bigr)
\sigma(z)\bigl(1-\sigma(z)\bigr)
\lVert x\rVert
\lVert x\rVert^{2}
\lvert x\rvert
\|x\|
|x|
\sum_{i=1}^{n} x_i
\sum_{k} y_k\log\hat{y}_k
\prod_{i=1}^{n} x_i
\max(0,x)
\max_{i} x_i
\min(a,b)
\log x
\log(x)
y\log x
\ln x
\exp(-x)
\sin x+\cos x
\tanh(z)
1-\tanh^{2}(z)
\operatorname{softmax}(z)
\operatorname{softmax}\left(z_2\right)
\operatorname{ReLU}(x)
A\operatorname{diag}(b)
\operatorname{diag}(h)-h^{\top}h
\operatorname*{argmax}_{i} x_i
\mathrm{vec}(A)
\mathrm{d}x
\mathbf{1}
\mathbf{1}^{\top}G
\mathbf{x}
\mathcal{L}
\boldsymbol{\theta}
\boldsymbol{x}
\mathbb{R}
\mathbb{R}^{m\times n}
\text{if } x>0
x\text{ and }y
\text{max\_pool}
\nabla_{W}E
\nabla f
\odot
a\odot b
h\odot(1-h)
a\oslash b
A\times B
1\times 2
x_1,\ldots,x_n
x_1+\cdots+x_n
\vdots
\ddots
a\quad b
a\qquad b
a\,b
a\;b
a\!b
a\:b
a\approx b
a\ne b
a\le b
a\ge b
a<b
a>b
x\in\mathbb{R}
x\to y
x\mapsto x^2
a\Rightarrow b
\infty
W^{\top}
\ell
\alpha\beta\gamma\delta\epsilon\varepsilon\zeta\eta\theta\iota\kappa\lambda\mu\nu\xi\pi\rho\sigma\tau\upsilon\phi\varphi\chi\psi\omega
\Gamma\Delta\Theta\Lambda\Xi\Pi\Sigma\Upsilon\Phi\Psi\Omega
\hat{y}
\hat{y}_1
\bar{x}
\tilde{x}
\vec{x}
\dot{x}
\begin{pmatrix} a & b \\ c & d \end{pmatrix}
\begin{bmatrix} 1 & 0 \\ 0 & 1 \end{bmatrix}^{-1}
\begin{matrix} 1 & 2 \end{matrix}
\begin{vmatrix} a & b \\ c & d \end{vmatrix}
\begin{pmatrix} x_1 & x_2 & x_3 \end{pmatrix}\begin{pmatrix} w_1 & w_2 \\ w_3 & w_4 \\ w_5 & w_6 \end{pmatrix}
\begin{cases} 1, & z>0 \\ 0, & z\le 0 \end{cases}
\begin{cases} \dfrac{1}{2}, & z>0 \\ \dfrac{a}{b}, & \text{otherwise} \end{cases}
\begin{cases} x & x>0 \\[3ex] \dfrac{x}{2} & x<0 \end{cases}
\begin{aligned} a &= b \\ &= c+d \end{aligned}
\begin{array}{cc|c} 1 & 2 & 3 \\ 4 & 5 & 6 \end{array}
\begin{array}{rl} x &= 1 \\ yy &= 22 \end{array}
\begin{pmatrix} \dfrac{\partial y_1}{\partial z_1} & \dfrac{\partial y_1}{\partial z_2} \\ \dfrac{\partial y_2}{\partial z_1} & \dfrac{\partial y_2}{\partial z_2} \end{pmatrix}
\begin{pmatrix} a_{11} & \cdots & a_{1n} \\ \vdots & \ddots & \vdots \\ a_{m1} & \cdots & a_{mn} \end{pmatrix}
\underbrace{a+b}_{c}
\underbrace{\frac{\partial E}{\partial o}}_{\text{error}}\cdot\underbrace{x}_{\text{input}}
\boxed{x=1}
{}^{\top}
{}^{2}x
x'
x'_1
\phantom{{}={}}x
\left(\begin{array}{rr} 1\phantom{.0} & -2.5 \\ 0.5 & 12\phantom{.0} \end{array}\right)
\left(\begin{array}{rc} 0{,}25 & x \\ 1\phantom{{,}00} & y \end{array}\right)
x_{1{,}5}+0{,}5\cdot 12{,}25
\max(0; 0{,}5)
\displaystyle\frac{a}{b}
\textstyle\sum_{i} x_i
a:=b
w_1:=w_1-\alpha\frac{\partial E}{\partial w_1}
w_1^{\text{new}}
n!
a;b
1.5\cdot 10^{-5}
\delta_{ij}
\delta^{(2)}
\frac{\partial L}{\partial b^{(1)}_{2}}
-\frac{1}{N}\sum_{i=1}^{N}\sum_{k=1}^{K}y_{ik}\log p_{ik}
\frac{e^{z_i}}{\sum_{j}e^{z_j}}
\bigl(0.1\cdot 1+0.3\cdot 4+0.5\cdot 5\bigr)+0.5
\frac{1}{2}\left((o_1-t_1)^{2}+(o_2-t_2)^{2}\right)
\left(W_2^{\top}\delta\right)\odot h\odot(1-h)
\partial_{x}f
\sin^{2}x
\log_{2} x
x^{x^{x}}
\frac{\frac{a}{b}}{c}
\frac{\dfrac{a}{b}}{c}
A^{\top}B^{-1}
\left(x^{\top}\right)_{i}
3\times 2
x\mid y
\langle x,y\rangle
\Big(\Bigl[\bigl\{x\bigr\}\Bigr]\Big)
\mathrm{softmax}(z)_i
\overline{x}
\frac{\partial E}{\partial W_1}\in\mathbb{R}^{3\times 2}
E\ne 0,\ x>0
""".strip().splitlines()


def _matrix(environment: str, rows: int, columns: int, cell: str) -> str:
    body = r" \\ ".join(" & ".join(cell.format(i=i + 1, j=j + 1) for j in range(columns)) for i in range(rows))
    return rf"\begin{{{environment}}} {body} \end{{{environment}}}"


_CELLS = (
    "w_{{{i}{j}}}",
    "0.{i}{j}34",
    "-1.{i}{j}",
    r"\frac{{{i}}}{{{j}}}",
    r"\dfrac{{\partial E}}{{\partial w_{{{i}{j}}}}}",
)
_GENERATED = [
    _matrix(environment, rows, columns, cell)
    for rows, columns, environment in ((1, 3, "pmatrix"), (3, 1, "bmatrix"), (2, 2, "vmatrix"), (4, 5, "pmatrix"))
    for cell in _CELLS
]
WIDE_MATRIX = _matrix("pmatrix", 12, 12, "0.{i}{j}34")
LONG_SUM = tuple((("" if k == 1 else "+ ") + rf"w_{{{k}}} x_{{{k}}}") for k in range(1, 41))

FORMULAS: tuple[str, ...] = (*_WRITTEN, *_GENERATED, WIDE_MATRIX, " ".join(LONG_SUM))
