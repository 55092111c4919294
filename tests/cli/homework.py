"""Somebody's homework: the layers of the course in their own words, all of them right."""

import numpy as np


def conv_forward_naive(x, w, b, conv_param):
    s, p = conv_param["stride"], conv_param["pad"]
    N, _C, H, W = x.shape
    F, _, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    Ho = 1 + (H + 2 * p - HH) // s
    Wo = 1 + (W + 2 * p - WW) // s
    out = np.zeros((N, F, Ho, Wo))
    for n in range(N):
        for f in range(F):
            for i in range(Ho):
                for j in range(Wo):
                    out[n, f, i, j] = np.sum(xp[n, :, i * s : i * s + HH, j * s : j * s + WW] * w[f]) + b[f]
    return out, (x, w, b, conv_param)


def conv_backward_naive(dout, cache):
    x, w, _b, conv_param = cache
    s, p = conv_param["stride"], conv_param["pad"]
    xp = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    dxp = np.zeros_like(xp)
    dw = np.zeros_like(w)
    db = dout.sum((0, 2, 3))
    N, F, Ho, Wo = dout.shape
    HH, WW = w.shape[2:]
    for n in range(N):
        for f in range(F):
            for i in range(Ho):
                for j in range(Wo):
                    dw[f] += dout[n, f, i, j] * xp[n, :, i * s : i * s + HH, j * s : j * s + WW]
                    dxp[n, :, i * s : i * s + HH, j * s : j * s + WW] += dout[n, f, i, j] * w[f]
    return dxp[:, :, p:-p, p:-p] if p else dxp, dw, db


def batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param["mode"]
    eps = bn_param.get("eps", 1e-5)
    m = bn_param.get("momentum", 0.9)
    rm = bn_param.get("running_mean", np.zeros(x.shape[1]))
    rv = bn_param.get("running_var", np.zeros(x.shape[1]))
    cache = None
    if mode == "train":
        mu = x.mean(0)
        v = x.var(0)
        xh = (x - mu) / np.sqrt(v + eps)
        out = gamma * xh + beta
        bn_param["running_mean"] = m * rm + (1 - m) * mu
        bn_param["running_var"] = m * rv + (1 - m) * v
        cache = (xh, gamma, v, eps)
    else:
        out = gamma * (x - rm) / np.sqrt(rv + eps) + beta
    return out, cache


def batchnorm_backward(dout, cache):
    xh, gamma, v, eps = cache
    len(dout)
    d = dout * gamma
    dx = (d - d.mean(0) - xh * (d * xh).mean(0)) / np.sqrt(v + eps)
    return dx, (dout * xh).sum(0), dout.sum(0)


def svm_loss(x, y):
    N = len(x)
    m = np.maximum(0, x - x[range(N), y][:, None] + 1)
    m[range(N), y] = 0
    g = (m > 0) * 1.0
    g[range(N), y] = -g.sum(1)
    return m.sum() / N, g / N


def softmax_loss(x, y):
    N = len(x)
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    loss = -np.log(p[range(N), y]).mean()
    p[range(N), y] -= 1
    return loss, p / N


def adam(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-3)
    config.setdefault("beta1", 0.9)
    config.setdefault("beta2", 0.999)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("m", np.zeros_like(w))
    config.setdefault("v", np.zeros_like(w))
    config.setdefault("t", 0)
    config["t"] += 1
    b1, b2, t = config["beta1"], config["beta2"], config["t"]
    config["m"] = b1 * config["m"] + (1 - b1) * dw
    config["v"] = b2 * config["v"] + (1 - b2) * dw**2
    return w - config["learning_rate"] * config["m"] / (1 - b1**t) / (
        np.sqrt(config["v"] / (1 - b2**t)) + config["epsilon"]
    ), config


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    h = np.tanh(x @ Wx + prev_h @ Wh + b)
    return h, (x, prev_h, Wx, Wh, h)


def rnn_step_backward(d, c):
    x, p, Wx, Wh, h = c
    a = d * (1 - h * h)
    return a @ Wx.T, a @ Wh.T, x.T @ a, p.T @ a, a.sum(0)


def dropout_forward(x, dropout_param):
    p, mode = dropout_param["p"], dropout_param["mode"]
    if "seed" in dropout_param:
        np.random.seed(dropout_param["seed"])  # noqa: NPY002 - as the course does it
    mask = None
    if mode == "train":
        mask = (np.random.rand(*x.shape) < p) / p  # noqa: NPY002
        return x * mask, (dropout_param, mask)
    return x, (dropout_param, mask)


def dropout_backward(d, c):
    return d * c[1] if c[0]["mode"] == "train" else d


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rnn_forward(x, h0, Wx, Wh, b):
    hs = []
    cs = []
    h = h0
    for t in range(x.shape[1]):
        h, c = rnn_step_forward(x[:, t], h, Wx, Wh, b)
        hs.append(h)
        cs.append(c)
    return np.stack(hs, 1), cs


def rnn_backward(dh, cs):
    N, T, H = dh.shape
    d = np.zeros((N, H))
    dx = []
    g = 0
    for t in reversed(range(T)):
        a, d, w1, w2, bb = rnn_step_backward(dh[:, t] + d, cs[t])
        dx.insert(0, a)
        g = (w1, w2, bb) if not g else tuple(p + q for p, q in zip(g, (w1, w2, bb), strict=False))
    return np.stack(dx, 1), d, *g


def lstm_step_forward(x, ph, pc, Wx, Wh, b):
    a = x @ Wx + ph @ Wh + b
    H = ph.shape[1]
    i, f, o = (sigmoid(a[:, k * H : (k + 1) * H]) for k in range(3))
    g = np.tanh(a[:, 3 * H :])
    c = f * pc + i * g
    h = o * np.tanh(c)
    return h, c, (x, ph, pc, Wx, Wh, i, f, o, g, c)


def lstm_step_backward(dh, dc, cache):
    x, ph, pc, Wx, Wh, i, f, o, g, c = cache
    tc = np.tanh(c)
    dc = dc + dh * o * (1 - tc * tc)
    a = np.hstack([dc * g * i * (1 - i), dc * pc * f * (1 - f), dh * tc * o * (1 - o), dc * i * (1 - g * g)])
    return a @ Wx.T, a @ Wh.T, dc * f, x.T @ a, ph.T @ a, a.sum(0)


def word_embedding_forward(x, W):
    return W[x], (x, W)


def word_embedding_backward(d, c):
    dW = np.zeros_like(c[1])
    np.add.at(dW, c[0], d)
    return dW


def temporal_affine_forward(x, w, b):
    return x @ w + b, (x, w)


def temporal_affine_backward(d, c):
    return d @ c[1].T, np.einsum("ntd,ntm->dm", c[0], d), d.sum((0, 1))


def layernorm_forward(x, gamma, beta, ln_param):
    eps = ln_param.get("eps", 1e-5)
    mu = x.mean(1, keepdims=True)
    v = x.var(1, keepdims=True)
    xh = (x - mu) / np.sqrt(v + eps)
    return gamma * xh + beta, (xh, gamma, v, eps)


def layernorm_backward(d, c):
    xh, gamma, v, eps = c
    g = d * gamma
    return (
        (g - g.mean(1, keepdims=True) - xh * (g * xh).mean(1, keepdims=True)) / np.sqrt(v + eps),
        (d * xh).sum(0),
        d.sum(0),
    )


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    N, C, H, W = x.shape
    o, c = batchnorm_forward(x.transpose(0, 2, 3, 1).reshape(-1, C), gamma, beta, bn_param)
    return o.reshape(N, H, W, C).transpose(0, 3, 1, 2), c


def spatial_batchnorm_backward(d, c):
    N, C, H, W = d.shape
    dx, g, b = batchnorm_backward(d.transpose(0, 2, 3, 1).reshape(-1, C), c)
    return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), g, b


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    eps = gn_param.get("eps", 1e-5)
    N, _C, _H, _W = x.shape
    r = x.reshape(N, G, -1)
    mu = r.mean(2, keepdims=True)
    v = r.var(2, keepdims=True)
    xh = ((r - mu) / np.sqrt(v + eps)).reshape(x.shape)
    return gamma * xh + beta, (xh, gamma, v, eps, G)


def spatial_groupnorm_backward(d, c):
    xh, gamma, v, eps, G = c
    N, _C, _H, _W = d.shape
    g = (d * gamma).reshape(N, G, -1)
    r = xh.reshape(N, G, -1)
    dx = (g - g.mean(2, keepdims=True) - r * (g * r).mean(2, keepdims=True)) / np.sqrt(v + eps)
    return dx.reshape(d.shape), (d * xh).sum((0, 2, 3), keepdims=True), d.sum((0, 2, 3), keepdims=True)


def max_pool_forward_naive(x, pool_param):
    h, w, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    N, C, H, W = x.shape
    out = np.zeros((N, C, 1 + (H - h) // s, 1 + (W - w) // s))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            out[:, :, i, j] = x[:, :, i * s : i * s + h, j * s : j * s + w].max((2, 3))
    return out, (x, pool_param)


def max_pool_backward_naive(d, c):
    x, q = c
    h, w, s = q["pool_height"], q["pool_width"], q["stride"]
    dx = np.zeros_like(x)
    for n in range(len(x)):
        for k in range(x.shape[1]):
            for i in range(d.shape[2]):
                for j in range(d.shape[3]):
                    r = x[n, k, i * s : i * s + h, j * s : j * s + w]
                    a = np.unravel_index(r.argmax(), r.shape)
                    dx[n, k, i * s + a[0], j * s + a[1]] += d[n, k, i, j]
    return dx


def temporal_softmax_loss(x, y, mask, verbose=False):
    N, _T, _V = x.shape
    p = np.exp(x - x.max(2, keepdims=True))
    p /= p.sum(2, keepdims=True)
    q = np.take_along_axis(p, y[..., None], 2)[..., 0]
    loss = -(mask * np.log(q)).sum() / N
    d = p.copy()
    np.put_along_axis(d, y[..., None], np.take_along_axis(d, y[..., None], 2) - 1, 2)
    return loss, d * mask[..., None] / N


def sgd_momentum(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    v = config.get("velocity", np.zeros_like(w))
    v = config["momentum"] * v - config["learning_rate"] * dw
    config["velocity"] = v
    return w + v, config


def rmsprop(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("decay_rate", 0.99)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("cache", np.zeros_like(w))
    config["cache"] = config["decay_rate"] * config["cache"] + (1 - config["decay_rate"]) * dw * dw
    return w - config["learning_rate"] * dw / (np.sqrt(config["cache"]) + config["epsilon"]), config


def svm_loss_vectorized(W, X, y, reg):
    loss, d = svm_loss(X @ W, y)
    return loss + reg * (W * W).sum(), X.T @ d + 2 * reg * W


def softmax_loss_naive(W, X, y, reg):
    loss, d = softmax_loss(X @ W, y)
    return loss + reg * (W * W).sum(), X.T @ d + 2 * reg * W


def affine_relu_forward(x, w, b):
    a = x.reshape(len(x), -1) @ w + b
    return np.maximum(a, 0), (x, w, b, a)


def affine_relu_backward(d, c):
    x, w, _b, a = c
    d = d * (a > 0)
    return (d @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ d, d.sum(0)
