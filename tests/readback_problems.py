"""Small problems that between them print every shape of formula: for reading back, not for their meaning."""

from __future__ import annotations

from collections.abc import Mapping

PROBLEMS: Mapping[str, str] = {
    "rows_onehot": '''
equations = """
Z1 = X @ W1 + b1
H = relu(Z1)
Z2 = H @ W2 + b2
E = cross_entropy(Z2, Y)
"""
[given]
X = [[1, -2], [0.5, 3], [-1, 0.25]]
Y = [[1, 0], [0, 1], [0, 1]]
[parameters]
W1 = [[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]]
b1 = [0.1, 0.2, 0.7]
W2 = [[0.7, -0.8], [0.9, 0.1], [-0.3, 0.2]]
b2 = [0.05, -0.05]
[ask]
gradients = "all"
update = { rate = 0.1, symbol = "eta" }
''',
    "rows_classes": '''
equations = """
Z1 = X @ W1 + b1
H = relu(Z1)
Z2 = H @ W2 + b2
P = softmax(Z2)
E = cross_entropy(Z2, Y)
"""
[given]
X = [[1, -2], [0.5, 3], [-1, 0.25]]
Y = [0, 1, 1]
[parameters]
W1 = [[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]]
b1 = [0.1, 0.2, 0.7]
W2 = [[0.7, -0.8], [0.9, 0.1], [-0.3, 0.2]]
b2 = [0.05, -0.05]
[ask]
gradients = "all"
update = { rate = 0.1, symbol = "eta" }
''',
    "rows_soft_sum": '''
equations = """
Z1 = X @ W1 + b1
H = tanh(Z1)
Z2 = H @ W2 + b2
E = cross_entropy(Z2, Y, reduction="sum")
"""
[given]
X = [[1, -2], [0.5, 3], [-1, 0.25]]
Y = [[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]
[parameters]
W1 = [[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]]
b1 = [0.1, 0.2, 0.7]
W2 = [[0.7, -0.8], [0.9, 0.1], [-0.3, 0.2]]
b2 = [0.05, -0.05]
[ask]
gradients = "all"
update = { rate = 0.1, symbol = "eta" }
''',
    "cols_onehot": '''
equations = """
Z1 = W1 @ X + b1
H = relu(Z1)
Z2 = W2 @ H + b2
S = softmax(Z2, axis=0)
E = cross_entropy(Z2, Y, axis=0)
"""
[given]
X = [[1, -2, 0.5], [3, -1, 0.25]]
Y = [[1, 0, 0], [0, 1, 1]]
[parameters]
W1 = [[0.1, -0.2], [0.4, 0.5]]
b1 = [[0.1], [0.2]]
W2 = [[0.7, -0.8], [0.9, 0.1]]
b2 = [[0.05], [-0.05]]
[ask]
gradients = "all"
''',
    "cols_single": '''
equations = """
Z1 = W1 @ X + b1
H = relu(Z1)
Z2 = W2 @ H + b2
S = softmax(Z2, axis=0)
E = cross_entropy(Z2, Y, axis=0)
"""
[given]
X = [[1], [-2]]
Y = [[0],[1]]
[parameters]
W1 = [[0.1, -0.2], [0.4, 0.5]]
b1 = [[0.1], [0.2]]
W2 = [[0.7, -0.8], [0.9, 0.1]]
b2 = [[0.05], [-0.05]]
[ask]
gradients = "all"
''',
    "softmax_then_log": '''
equations = """
z = x @ W + b
s = softmax(z)
E = -sum(y * log(s))
"""
[given]
x = [1, -2]
y = [0, 1, 0]
[parameters]
W = [[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]]
b = [0.1, 0, -0.2]
''',
    "logsoftmax": '''
equations = """
z = x @ W + b
s = log_softmax(z)
E = -sum(y * s)
"""
[given]
x = [1, -2]
y = [0, 1, 0]
[parameters]
W = [[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]]
b = [0.1, 0, -0.2]
''',
    "bce": '''
equations = """
z = X @ w + b
p = sigmoid(z)
E = mean(binary_cross_entropy(p, t))
"""
[given]
X = [[1, -2], [0.5, 3], [-1, 0.25]]
t = [[1], [0], [1]]
[parameters]
w = [[0.4], [-0.3]]
b = -0.1
[ask]
gradients = "all"
update = { rate = { w = 0.5, b = 0.25 }, steps = 3 }
''',
    "bce_scalar": '''
equations = """
z = x @ w + b
p = sigmoid(z)
E = binary_cross_entropy(p, t)
"""
[given]
x = [1, -2]
t = 1
[parameters]
w = [[0.4], [-0.3]]
b = -0.1
''',
    "tanh_mean": '''
equations = """
Z = X @ W1 + b1
H = tanh(Z)
Y = H @ W2 + b2
E = mean((Y - T)**2)
"""
[given]
X = [[1, -2], [0.5, 3]]
T = [[1], [-1]]
[parameters]
W1 = [[0.1, -0.2], [0.4, 0.5]]
b1 = [0.1, -0.1]
W2 = [[0.7], [-0.8]]
b2 = 0.3
[ask]
gradients = "all"
update = { rate = -0.1 }
''',
    "softplus_sqrt": '''
equations = """
a = softplus(x @ W)
b = sqrt(square(a) + 0.01)
E = sum(abs(b - t)) / 3
"""
[given]
x = [1, -2]
t = [0.5, 1, 1.5]
[parameters]
W = [[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]]
''',
    "blocks": '''
equations = """
a = X[:, 0:2]
b = X[1:, 1:]
s = X[0, 2]
h = concat(tanh(a), w, axis=1)
q = 2 * X[::-1, 0:3:2]
r = reshape(h, 1, -1)
y = r @ V
L = sum(y**2) / 2 + s * sum(b) + sum(q @ a)
"""
[given]
X = [[1, 2, 3], [4, 5, 6]]
[parameters]
w = [[0.1], [0.2]]
V = [[0.1], [0.2], [0.3], [0.4], [0.5], [0.6]]
[ask]
gradients = "all"
''',
    "blocks_jacobian": '''
equations = """
a = x[:, 0:2]
b = x[0, 2]
h = concat(tanh(a), w, axis=1)
y = h @ V + b
c = stack(b, b)
L = sum(y**2) / 2 + sum(c)
"""
[given]
x = [1, 2, 3]
[parameters]
w = [0.1, 2]
V = [[0.1], [0.2], [0.3], [0.4]]
[ask]
gradients = ["x", "w", "V"]
[convention]
style = ["jacobian"]
''',
    "choices": '''
equations = """
x  = embedding(E, idx)
z  = x @ W
m  = max(z, axis=1)
d  = z - m
k  = min(z)
c  = clip(d, -1.5, -0.05)
Y  = one_hot(t, 3)
g  = (z > 0.1) * z
h0 = zeros(2, 3)
h1 = ones(2, 1)
L  = sum(Y * c) + 2 * k + sum(g * (g <= 1)) + sum(h0 * z) + sin(pi / 4) * sum(h1 * m) + cross_entropy(z, one_hot(t, 3))
"""
[given]
idx = [2, 0]
t = [1, 2]
[parameters]
E = [[0.1, 0.2], [0.3, 0.4], [0.5, -0.6]]
W = [[1, 2, 3], [-1, 0.5, 2]]
[ask]
gradients = "all"
''',
    "ties": '''
equations = """
h = relu(x @ W)
m = max(h, axis=1)
n = min(h, axis=0)
k = max(h)
L = sum(m**2) + sum(n) + k**2
"""
[given]
x = [[1, -2], [-1, 0.5], [1,1]]
[parameters]
W = [[0.5, -1, -0.5], [-0.5, 2, 0.5]]
[ask]
gradients = "all"
''',
    "maximum": '''
equations = """
a = maximum(x @ W, c)
b = minimum(a, 1 - x @ V)
E = sum(a * b) - sum(b**3)
"""
[given]
x = [1, -2]
c = [0.1, 0.2, -3]
[parameters]
W = [[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]]
V = [[1, 2, -3], [0.5, -0.5, 1]]
''',
    "l2": '''
equations = """
y = x @ W + b
R = sum(W**2)
L = sum((y - t)**2) / 2
E = L + 0.01 * R
"""
[given]
x = [1, -2]
t = [0.5, 1]
[parameters]
W = [[0.1, -0.2], [0.4, 0.5]]
b = [0, 0.1]
''',
    "l2_inline": '''
equations = """
y = x @ W + b
E = sum((y - t)**2) / 2 + 0.0005 * sum(W**2)
"""
[given]
x = [1, -2]
t = [0.5, 1]
[parameters]
W = [[0.1, -0.2], [0.4, 0.5]]
b = [0, 0.1]
''',
    "l2_mul": '''
equations = """
y = x @ W + b
E = sum((y - t)**2) / 2 + 0.0005 * sum(W * W)
"""
[given]
x = [1, -2]
t = [0.5, 1]
[parameters]
W = [[0.1, -0.2], [0.4, 0.5]]
b = [0, 0.1]
''',
    "skip": '''
equations = """
h = sigmoid(x @ W1 + b1)
y = x + h @ W2
E = sum((y - t)**2) + sum(h)
"""
[given]
x = [1, -2]
t = [0.5, 1]
[parameters]
W1 = [[0.1, -0.2], [0.4, 0.5]]
b1 = 0.5
W2 = [[1, -1], [0.3, -0.5]]
[ask]
gradients = "all"
''',
    "tied": '''
equations = """
h = tanh(x @ W + b)
y = h @ W.T + c
E = sum((y - x)**2) / 2
"""
[given]
x = [1, -2, 0.5]
[parameters]
W = [[0.1, -0.2], [0.4, 0.5], [-0.3, 0.2]]
b = 0.1
c = -0.2
[ask]
gradients = "all"
''',
    "scalar_circuit": '''
equations = """
u = a * b - c
v = exp(-u) / (1 + a**2)
w = log(v + 2) * c - a / b
f = (w - 1)**2 / (v + 3) - abs(w)
"""
[given]
a = -2
b = 3
c = -4
[ask]
gradients = "all"
''',
    "scalar_div": '''
equations = """
f = 1 / (1 + exp(-(w0 * x0 + w1 * x1 + w2)))
"""
[given]
x0 = -1
x1 = -2
[parameters]
w0 = 2
w1 = -3
w2 = -3
''',
    "ratios": '''
equations = """
z_h = x @ W1 + b1
h = sigmoid(z_h)
z_o = h @ W2 + b2
o = sigmoid(z_o)
E = sum((o - t)**2) / 2
"""
[given]
x = [1, 4]
t = [0.1, 0.05]
[parameters]
W1 = [[0.1, -0.2], [0.3, 0.4]]
b1 = 0.5
W2 = [[0.7, 0.8], [-0.9, 0.1]]
b2 = 0.5
[ask]
gradients = ["W1", "do/dz_o", "do/dz_h", "dz_o/dh", "do/dx"]
''',
    "negatives": '''
equations = """
y = x @ W - b
d = y - t
q = d * d * k - d / m
E = sum(q) * -2
"""
[given]
x = [-1, -2]
t = [-0.5, -1]
k = -3
m = -4
[parameters]
W = [[-0.1, -0.2], [-0.4, -0.5]]
b = [-0.3, -0.1]
[ask]
gradients = "all"
''',
    "row1n": '''
equations = """
z = W @ x + b
y = v @ tanh(z)
E = (y - t)**2
"""
[given]
x = [[-3]]
t = -2
[parameters]
W = [[-0.1], [0.2], [-0.3]]
b = [[0.1], [-0.2], [0.3]]
v = [[-1, 2, -0.5]]
[ask]
gradients = "all"
update = { rate = 0.01 }
''',
    "onebyone": '''
equations = """
y = W @ x
E = (y - t)**2 / 2
"""
[given]
x = [[-3]]
t = -2
[parameters]
W = [[-0.1]]
[ask]
update = { rate = 0.01 }
''',
    "tiny": '''
equations = """
y = sigmoid(x @ W * 1e-7)
E = sum((y - t)**2) * 1e-6
"""
[given]
x = [0.0000012, -2e-7]
t = [0.5, 1e-7]
[parameters]
W = [[1e-7, -2e5], [3e-6, 123456.789]]
[ask]
gradients = "all"
update = { rate = 1e-5 }
''',
    "elementwise_chain": '''
equations = """
a = exp(x * w)
b = log(1 + a)
c = b / (1 + b**2)
d = sin(c) * cos(b) - silu(c)
E = sum(d**3) / 2
"""
[given]
x = [1, -2, 0.5]
[parameters]
w = [0.1, -0.2, -0.4]
[ask]
gradients = "all"
''',
    "gelu_elu": '''
equations = """
a = gelu(x * w)
b = elu(a - 1)
c = leaky_relu(b - x, slope=0.1)
E = mean(c * a)
"""
[given]
x = [1, -2, 0.5]
[parameters]
w = [0.1, -0.2, -0.4]
[ask]
gradients = "all"
''',
    "axis_sums": '''
equations = """
s = sum(A * B, axis=1)
m = mean(A, axis=0)
n = sum(s**2)
E = n + sum(m) + sum(sum((A - B)**2, axis=1)) / 2
"""
[given]
B = [[1, -2], [0.5, 3], [-1, 0.25]]
[parameters]
A = [[0.1, -0.2], [0.4, 0.5], [-0.3, 0.2]]
[ask]
gradients = "all"
''',
    "normalise": '''
equations = """
m = mean(x)
c = x - m
v = mean(c**2)
y = c / sqrt(v + 0.00001)
E = sum(y * g)
"""
[given]
g = [1, -1, 2]
[parameters]
x = [0.1, -0.2, 0.4]
[ask]
gradients = "all"
''',
    "own_function": '''
equations = """
z = x @ W
h = phi(z)
E = sum(h * h)
"""
[given]
x = [1, -2]
[parameters]
W = [[0.1, -0.2], [0.4, 0.5]]
[functions]
phi = "z**3 / 3 - z"
[ask]
gradients = "all"
''',
    "upstream": '''
equations = """
Z = X @ W + b
Y = relu(Z)
"""
[given]
X = [[1, -2], [0.5, 3]]
[parameters]
W = [[0.1, -0.2], [0.4, 0.5]]
b = [0.1, -0.1]
[ask]
gradients = ["X", "W", "b"]
upstream = { of = "J", at = "Y", value = [[1, -2], [0.5, 3]] }
''',
    "names_clash": '''
equations = """
e = x * sigma
s = exp(e)
beta = s**10
E = beta * 2
"""
[given]
x = 2
[parameters]
sigma = -0.25
[ask]
gradients = "all"
''',
    "jac_column": '''
equations = """
z1 = W1 @ x + b1
h = sigmoid(z1)
z2 = W2 @ h
s = softmax(z2, axis=0)
E = sum((s - t)**2)
"""
[given]
x = [[1], [-2]]
t = [[0], [1]]
W1 = [[1, -2], [0, 2]]
b1 = [[0], [-1]]
W2 = [[1, -1], [0.5, 3]]
[ask]
gradients = ["x"]
[convention]
style = ["jacobian"]
''',
    "jac_row": '''
equations = """
z1 = x @ W1 + b1
h = sigmoid(z1)
z2 = h @ W2
s = softmax(z2)
E = sum((s - t)**2) + sum(h)
"""
[given]
x = [1, -2]
t = [0, 1]
W1 = [[1, -2], [0, 2]]
b1 = [0, -1]
W2 = [[1, -1], [0.5, 3]]
[ask]
gradients = ["x", "h"]
[convention]
style = ["jacobian", "elements"]
''',
    "fractions": '''
equations = """
y = 2 * x * w / 3 + 0.5 * w**0.5 + w**-2
E = y**1.5 * 3 / 7
"""
[given]
x = "1/3"
[parameters]
w = "22/7"
''',
    "matrix_sum": '''
equations = """
A = X @ W
B = A * G
C = B + A.T
E = sum(C)
"""
[given]
X = [[1, -2], [0.5, 3]]
G = [[-1, 0.1], [0.2, 2]]
[parameters]
W = [[0.1, -0.2], [0.4, 0.5]]
[ask]
gradients = "all"
''',
    "wide": '''
equations = """
z = x @ W + b
h = sigmoid(z)
E = sum((h - t)**2) / 2
"""
[given]
x = [1, -2, 3]
t = [0.1, 0.2, 0.3, 0.4, 0.5]
[parameters]
W = [[0.1, -0.2, 0.3, 0.4, 0.5], [0.4, 0.5, 0.1, 0.1, 0.1], [1, 2, 3, 4, 5]]
b = 0.1
[ask]
gradients = "all"
''',
    "big": '''
equations = """
z = x @ W + b
h = sigmoid(z)
E = sum(h**2) / 2
"""
[given]
x = [1, -2, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1]
[parameters]
W = [[0.1, -0.2], [0.4, 0.5], [1, 2], [1, 1], [1, 1], [1, 1], [1, 1], [1, 1], [1, 1], [1, 1], [1, 1], [1, 1]]
b = 0.1
''',
    "conv_image": '''
equations = """
Z = conv2d(X, K, stride=2, padding=1) + b
A = sigmoid(Z)
E = sum((A - T)**2) / 2
"""
[given]
X = [[1, -2, 0.5, 1], [3, -1, 0.25, 2], [0, 1, -1, 1]]
T = [[1, 0, 0], [0.5, 0.5, 1]]
[parameters]
K = [[0.1, -0.2], [0.4, 0.5]]
b = [[-0.3]]
[ask]
gradients = "all"
update = { rate = 0.1 }
''',
    "conv_stack": '''
equations = """
z1 = conv2d(x, W1, padding=1) + b1
h1 = relu(z1)
p1 = avg_pool(h1, 2)
E = mean((p1 - t)**2)
"""
[given]
x = [[[[1, -2], [0.5, 3]]], [[[0, 1], [-1, 0.25]]]]
t = [[[[0.5]], [[1]]], [[[0]], [[-1]]]]
[parameters]
W1 = [[[[0.1, -0.2, 0.3], [0.4, 0.5, -0.6], [0.1, 0.1, 0.2]]], [[[0.7, 0.1, 0.2], [-0.3, 0.2, 0.1], [0, 1, -1]]]]
b1 = [[[[0.1]], [[-0.2]]]]
[ask]
gradients = "all"
update = { rate = 0.1, symbol = "eta" }
''',
    "conv_signals": '''
equations = """
u = conv1d(x, w) + b
v = max_pool(tanh(u), 2)
E = sum(v * c) / 3
"""
[given]
x = [[[1, -2, 0.5, 3, -1], [0.25, 1, 1, -0.5, 2]]]
c = [[[1, -1], [2, 0.5]]]
[parameters]
w = [[[0.1, -0.2], [0.3, 0.4]], [[0.5, -0.6], [0.7, 0.8]]]
b = [[[0.1], [-0.1]]]
[ask]
gradients = "all"
''',
    "signal_channels": '''
equations = """
z = conv1d(X, W, padding=1)
y = z @ V
E = (y - t)**2
"""
[given]
X = [[1, -2, 0.5], [0.25, 1, -1]]
t = 1
[parameters]
W = [[0.1, -0.2], [0.3, 0.4]]
V = [[1], [2], [-1], [0.5]]
[ask]
gradients = "all"
update = { rate = 0.1 }
''',
    "pools": '''
equations = """
P = max_pool(X * 2, 2)
Q = max_pool(X, 3, stride=1)
R = avg_pool(X, 2)
S = avg_pool(X, 3, stride=1)
E = sum(P * R) + sum(Q**2 * S)
"""
[parameters]
X = [[1, 4, 2, 0.5], [3, 2, 1, 5], [0, 1, 7, 2], [2, 6, 1, 1]]
[ask]
gradients = "all"
''',
    "softmax_stack": '''
equations = """
a = softmax(X, axis=1)
y = flatten(a) @ W
E = sum((y - t)**2) / 2
"""
[given]
X = [[[0.5, -1], [1, 0], [0, 2]], [[1, 1], [-0.5, 0], [2, 1]]]
t = [[1], [0]]
[parameters]
W = [[0.1], [-0.2], [0.3], [0.4], [-0.5], [0.6]]
[ask]
gradients = "all"
''',
    "pooled_row": '''
equations = """
z = conv1d(x, w)
a = max_pool(z, 2)
m = avg_pool(z, 2)
E = sum(a * m)
"""
[given]
x = [1, -2, 0.5, 3, -1]
[parameters]
w = [0.3, -0.7]
[ask]
gradients = "all"
''',
}

CONVENTIONS: Mapping[str, str] = {
    "displayed": 'carry = "displayed"',
    "significant": "significant = 3",
    "numerator": 'layout = "numerator"',
    "jacobian": 'style = ["matrix", "elements", "jacobian"]',
    "displayed-significant": 'carry = "displayed"\nsignificant = 4\nstyle = ["matrix"]',
    "twelve": 'digits = 12\nstyle = ["elements"]',
    "fractions": "fractions = true",
    "comma": 'decimal = "comma"\nsignificant = 3',
    "displayed-fractions-comma": 'carry = "displayed"\ndecimal = "comma"\nfractions = true',
}


def with_convention(text: str, convention: str) -> str:
    """A problem file with one of the conventions, in place of what it says itself about the same."""
    wanted = CONVENTIONS[convention]
    keys = {line.split(" = ")[0] for line in wanted.splitlines()}
    if keys & {"digits", "significant"}:
        keys |= {"digits", "significant"}
    kept = "\n".join(line for line in text.splitlines() if line.split("=")[0].strip() not in keys)
    if "\n[convention]" not in kept:
        head, part, tail = kept.partition("\n[[part]]")
        return f"{head}\n[convention]\n{wanted}\n{part}{tail}\n"
    return kept.replace("\n[convention]", f"\n[convention]\n{wanted}", 1) + "\n"


def text_of(name: str, convention: str = "") -> str:
    """A problem file, with one of the conventions."""
    return with_convention(PROBLEMS[name], convention) if convention else PROBLEMS[name]
