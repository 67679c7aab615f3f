"""Problems that between them have what a report can say, by name, besides the built-in ones."""

from __future__ import annotations

from derive.problem import find_problem, problem_from_text
from derive.problem.problem import Problem

CORPUS = {
    "batch": """
        equations = '''
        z = X @ W1 + b1
        h = tanh(z)
        a = h @ W2 + b2
        J = cross_entropy(a, y)
        '''
        [given]
        X = [[1, 2], [0, -1], [0.5, 1]]
        y = [0, 2, 1]
        [parameters]
        W1 = [[0.1, -0.2], [0.3, 0.4]]
        b1 = [0.1, 0]
        W2 = [[0.5, -0.5, 1], [0.2, 0.1, -1]]
        b2 = [0, 0.1, 0.2]
        [ask]
        update = { rate = { W1 = 0.5, b1 = 0, rest = "1/3" }, steps = 5, symbol = "eta" }
        [convention]
        significant = 4
        rounding = "half-even"
        carry = "displayed"
    """,
    "windows": """
        equations = '''
        Z = conv2d(X, W, stride=3, padding=1) + b
        A = relu(Z)
        P = max_pool(A, 2)
        Q = avg_pool(X, 2) + avg_pool(X, 3, stride=1)
        E = conv2d(X, W)
        R = max_pool(X, 3, stride=1)
        U = conv1d(x, w)
        V = conv1d(y, w, stride=2)
        S = conv2d(B, C)
        M = max_pool(G, 1)
        Y = conv2d(G, H)
        F = conv2d(X, D)
        L = sum(S) + sum(E) + sum(F) + sum(A * P) + sum(Q) + sum(R**2) + sum(U) + sum(V) + sum(M) + sum(Y)
        '''
        [given]
        G = [[1, 2, 0, 1, 2], [1, 2, 0, 1, 2], [1, 2, 0, 1, 2], [1, 2, 0, 1, 2]]
        H = [[1, 2]]
        B = [[1, 2, 0], [1, 2, 1], [0, 1, 1]]
        y = [1, 2, 0, 1, 1]
        D = [[[[1]], [[0]]], [[[1]], [[0]]], [[[1]], [[0]]], [[[1]], [[0]]], [[[1]], [[0]]], [[[1]], [[0]]], [[[1]], [[0]]]]
        [parameters]
        X = [[[[1, 5, 5, 2], [0, 3, 1, 1], [2, 0, 2, 1], [1, 2, 0, 1]], [[1, 5, 5, 2], [0, 3, 1, 1], [2, 0, 2, 1], [1, 2, 0, 1]]]]
        W = [[[[1, 0], [2, 1]], [[0, 1], [1, -1]]], [[[1, 0], [2, 1]], [[0, 1], [1, -1]]]]
        b = [[[[0.5]], [[-0.5]]]]
        x = [1, -2, 0.5, 3, 2]
        w = [0.5, -0.25]
        C = [[0.5, 1], [-0.25, 2]]
        [ask]
        gradients = "all"
        update = { rate = 0.1 }
        """,
    "letters": """
        equations = '''
        Z = X @ W1 + b1
        H = phi(Z)
        Y = H @ W2 + b2
        J = cross_entropy(Y, T) + sum(W1 ** 2)
        '''
        [shapes]
        X = ["N", "m"]
        W1 = ["m", "p"]
        b1 = [1, "p"]
        W2 = ["p", "n"]
        b2 = [1, "n"]
        T = ["N", "n"]
        [functions]
        phi = "unspecified"
        [ask]
        gradients = ["W1", "b1", "W2", "b2", "X"]
    """,
    "upstream": """
        equations = "out = Z @ W + b"
        [shapes]
        Z = [2, 3]
        W = [3, 2]
        b = [1, 2]
        [ask]
        upstream = { of = "J", at = "out" }
        gradients = ["W", "b", "Z", "out"]
    """,
    "circuit": """
        equations = '''
        q = x / y
        r = maximum(q, z)
        s = minimum(r, y)
        u = relu(k)
        v = abs(s) + u
        f = v * z
        '''
        [given]
        x = -2
        y = 5
        z = -4
        k = 0
        w = 1
        [ask]
        gradients = "all"
        loss = "f"
    """.replace("        w = 1\n", ""),
    "every way": """
        equations = '''
        a = x @ W
        h = softplus(a)
        g = log(h)
        k = log_softmax(g)
        c = softmax(k) @ W.T
        r = c / 2
        E = mean(binary_cross_entropy(sigmoid(r), t))
        '''
        [given]
        x = [1, 2]
        t = [0, 1]
        unused = 1
        [parameters]
        W = [[0.1, -0.2], [0.3, 0.4]]
        [captions]
        h = "what is soft"
        [ask]
        gradients = ["W", "a", "dh/da", "dc/dk"]
        [convention]
        style = ["matrix", "jacobian"]
    """.replace("        unused = 1\n", ""),
    "values": """
        equations = "y = x @ w"
        [given]
        x = [1, 2]
        w = [[1], [2]]
    """,
    "long run": """
        equations = "E = (w * x - t) ** 2"
        [given]
        x = 1
        t = 2
        [parameters]
        w = 0
        [ask]
        update = { rate = 0.01, steps = 500, every = 100 }
    """,
    "trained": """
        equations = "E = (w * x - t) ** 2"
        [given]
        x = 1
        t = 2
        [parameters]
        w = 0
        [ask]
        train = { rate = 0.1, until = "E < 0.01", tolerance = 1e-9 }
    """,
    "trained, two parts": """
        equations = "E = (w - 1) ** 4 / 4"
        [parameters]
        w = 3
        [ask]
        update = { rate = 0.05 }
        [[part]]
        name = "settles"
        ask = { train = true }
        [[part]]
        name = "runs away"
        ask = { update = { rate = 10 }, train = { until = "settled" } }
        [[part]]
        name = "climbs"
        ask = { update = { rate = -0.001 }, train = { at_most = 5 } }
    """,
    "two ways": """
        equations = '''
        a = W1 @ x
        b = W2 @ x
        y = a + b
        E = sum(y ** 2) / 2
        '''
        [given]
        x = [[1], [2]]
        W1 = [[1, 2], [3, 4]]
        W2 = [[0, 1], [1, 0]]
        [ask]
        gradients = ["x"]
        [convention]
        style = ["jacobian"]
    """,
    "large": f"""
        equations = "s = sum(x)"
        given = {{ x = {[[k - j for k in range(12)] for j in range(10)]} }}
        [ask]
        gradients = ["x"]
    """,
    "kinks in a matrix": """
        equations = '''
        Z = X @ W
        H = relu(Z)
        Y = H @ V + b + c
        E = sum(Y ** 2)
        '''
        [given]
        X = [[1, 1], [2, 0]]
        [parameters]
        W = [[1, 2], [-1, 3]]
        V = [[1], [2]]
        b = 1
        c = 2
        [ask]
        gradients = ["W", "dH/dW", "V"]
        update = { rate = { W = 0.1, V = 0.2, b = 0, c = 0 } }
        shapes = true
        [convention]
        layout = "numerator"
    """,
    "sampled": f"""
        equations = '''
        y = x @ W
        E = sum(y ** 2) / 2
        '''
        given = {{ x = {[[(7 * k) % 11 for k in range(48)]]} }}
        parameters = {{ W = {[[(5 * j + 3 * k) % 7 for k in range(48)] for j in range(48)]} }}
    """,
    "long loop": """
        equations = '''
        for t in range(1, 9): s[t] = tanh(w * s[t-1] + u * x[t])
        E = s[8] * s[8] * w
        '''
        [given]
        x = [1, 2, 0, 1, 1, 0, 2, 1]
        "s[0]" = 0
        [parameters]
        w = 0.5
        u = -0.5
        [captions]
        s = "state"
    """,
    "moved and chosen": """
        equations = '''
        v = embedding(T, k)
        x = reshape(v, 1, -1)
        a = x[:, 0:2]
        c = concat(tanh(a), a, axis=1)
        g = x * (x > 0)
        h = clip(c, -0.25, 0.75)
        E = max(h) - min(g) + x[0, 3]
        '''
        given = { k = [1, 0] }
        parameters = { T = [[0.5, -1], [2, 0.25]] }
    """,
    "any depth": """
        equations = '''
        for l in range(1, 4): h[l] = phi(h[l-1] @ W[l])
        '''
        [shapes]
        "h[0]" = ["N", "m"]
        W = ["m", "m"]
        [functions]
        phi = "unspecified"
        [ask]
        upstream = { of = "J", at = "h[3]" }
        gradients = ["W"]
        recursion = true
    """,
    "whole matrices": """
        equations = '''
        n = layer_norm(A)
        m = batch_norm(n)
        D = diag(v)
        q = v.T @ A @ v
        E = trace(m @ D) + trace(A) + det(A) + logdet(A) + sum(inv(A) @ A.T) + norm(v) + norm(A)**2 + sum(diag(A)) + q
        '''
        [given]
        v = [[1], [-2]]
        [parameters]
        A = [[3, 1], [1, 2]]
        [ask]
        gradients = "all"
    """,
    "nothing there": """
        equations = '''
        y = x + 0 * x
        E = w ** 2
        '''
        [given]
        x = 1
        w = 2
        [ask]
        gradients = ["x", "w"]
    """,
    "two compared": """
        equations = '''
        a = maximum(w, 0) + c * minimum(w, 0)
        E = sum(a**2)
        '''
        [given]
        c = 0.25
        [parameters]
        w = [1, -2, 0]
    """,
    "wide graph": """
        equations = '''
        z = W1 @ x + b1
        a = sigmoid(z)
        s = W2 @ a + b2
        o = sigmoid(s)
        E = -sum((t - o)**2) / 2
        '''
        [given]
        x = [[1], [-1]]
        t = [[1], [0]]
        [parameters]
        W1 = [[0.5, 0.25], [-0.5, 1]]
        b1 = [[0.1], [0]]
        W2 = [[1, -1], [0.5, 0.5]]
        b2 = [[0], [0.2]]
        [ask]
        graph = true
        gradients = ["W1", "b1", "W2", "b2"]
    """,
    "wide graph of values": """
        equations = '''
        z = W1 @ x + b1
        a = sigmoid(z)
        s = -W2 @ a + b2
        o = softplus(exp(-(sigmoid(s) + 1)) / 3)
        E = sum((t - o)**2) / 2
        '''
        [given]
        x = [[1], [-1]]
        t = [[1], [0]]
        W1 = [[0.5, 0.25], [-0.5, 1]]
        b1 = [[0.1], [0]]
        W2 = [[1, -1], [0.5, 0.5]]
        b2 = [[0], [0.2]]
        [ask]
        graph = true
        gradients = []
    """,
}


def problem(name: str) -> Problem:
    """A problem of the corpus, or a built-in one."""
    return problem_from_text(CORPUS[name], name="problem") if name in CORPUS else find_problem(name)
