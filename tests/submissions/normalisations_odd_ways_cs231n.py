"""CS231n dialect: moments by E[x²] - E[x]², channel by channel and sample by sample, float32 inside,
a projection matrix, and a group norm that insists on gamma (C,)."""

import numpy as np

def _moments(a, axes):
    # E[x^2] - E[x]^2, as the GPU kernels do
    m = a.mean(axes, keepdims=True)
    return m, (a * a).mean(axes, keepdims=True) - m * m

def batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param['mode']
    if mode == 'train':
        m, v = _moments(x, 0)
        for k, s in (('running_mean', m), ('running_var', v)):
            old = bn_param.get(k, 0)
            bn_param[k] = bn_param.get('momentum', .9) * old + (1 - bn_param.get('momentum', .9)) * s.squeeze()
    elif mode == 'test':
        m, v = bn_param['running_mean'], bn_param['running_var']
    s = np.sqrt(v + bn_param.get('eps', 1e-5))
    z = (x - m) / s
    return gamma * z + beta, (z, gamma, s)

def batchnorm_backward(dout, cache):
    z, gamma, s = cache
    n = len(z)
    db, dg = dout.sum(0), (z * dout).sum(0)
    return gamma / s * (dout - db / n - z * dg / n), dg, db

batchnorm_backward_alt = batchnorm_backward

def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    out = np.zeros(x.shape)
    caches = []
    C = x.shape[1]
    bn_param.setdefault('running_mean', np.zeros(C)); bn_param.setdefault('running_var', np.zeros(C))
    for c in range(C):
        sub = dict(bn_param)
        sub['running_mean'] = bn_param['running_mean'][c:c+1].copy()
        sub['running_var'] = bn_param['running_var'][c:c+1].copy()
        o, cache = batchnorm_forward(x[:, c].reshape(-1, 1), gamma[c], beta[c], sub)
        out[:, c] = o.reshape(x[:, c].shape)
        if bn_param['mode'] == 'train':
            bn_param['running_mean'][c] = np.squeeze(sub['running_mean'])
            bn_param['running_var'][c] = np.squeeze(sub['running_var'])
        caches.append(cache)
    return out, caches

def spatial_batchnorm_backward(dout, cache):
    dx = np.zeros(dout.shape)
    dgs, dbs = [], []
    for c, one in enumerate(cache):
        d, dg, db = batchnorm_backward(dout[:, c].reshape(-1, 1), one)
        dx[:, c] = d.reshape(dout[:, c].shape)
        dgs.append(dg[0]); dbs.append(db[0])
    return dx, np.array(dgs), np.array(dbs)

def layernorm_forward(x, gamma, beta, ln_param=None):
    eps = (ln_param or {}).get('eps', 1e-5)
    x32 = x.astype(np.float32)
    mu, v = _moments(x32, 1)
    z = (x32 - mu) * np.reciprocal(np.sqrt(v + eps))
    return (gamma * z + beta).astype(x.dtype), [z, gamma, 1 / np.sqrt(v + eps)]

def layernorm_backward(dout, cache):
    z, gamma, r = cache
    g = gamma * dout
    P = np.eye(g.shape[1]) - 1 / g.shape[1]
    dx = r * (g @ P - z * np.mean(g * z, -1)[:, np.newaxis])
    return dx, np.diagonal(dout.T @ z), np.tensordot(np.ones(len(g)), dout, 1)

def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    assert gamma.shape == (x.shape[1],)
    N, C, H, W = x.shape
    outs, caches = [], []
    for n in range(N):
        # each group of one sample is a layer norm row
        rows = x[n].reshape(G, -1)
        g = np.repeat(gamma, H * W).reshape(G, -1); b = np.repeat(beta, H * W).reshape(G, -1)
        o, c = layernorm_forward(rows, g, b, gn_param)
        outs.append(o.reshape(C, H, W)); caches.append(c)
    return np.stack(outs), (caches, G)

def spatial_groupnorm_backward(dout, cache):
    caches, G = cache
    dx = np.empty_like(dout); dgamma = 0; dbeta = 0
    for n, (z, g, r) in enumerate(caches):
        d = dout[n].reshape(G, -1)
        h = d * g
        dx[n] = (r * (h - h.mean(1, keepdims=True) - z * (h * z).mean(1, keepdims=True))).reshape(dout[n].shape)
        dgamma = dgamma + (d * z).reshape(dout.shape[1], -1).sum(1)
        dbeta = dbeta + dout[n].sum((1, 2))
    return dx, dgamma, dbeta
