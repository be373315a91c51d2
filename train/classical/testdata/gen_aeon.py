# aeon 1.6.0, numba 0.63.1, numpy 2.3.5
"""Writes aeon_minirocket.json and aeon_multirocket.json: parameters and features of aeon's MiniRocket and MultiRocket on
data that a formula makes (gen_sklearn.py's, rounded to 1/256 so that every sum is exact in single precision)."""
import json, os
import numpy as np, numba, aeon
from aeon.transformations.collection.convolution_based import MiniRocket, MultiRocket, _multirocket
from gen_sklearn import data, r, HERE

@numba.njit
def drawn(seed, n, combinations):
    """the series that _fit_biases draws"""
    np.random.seed(seed)
    out = np.zeros(combinations, np.int64)
    for i in range(combinations): out[i] = np.random.randint(n)
    return out

def rounded(n, c, t):
    x, _ = data(2 * n, c * t, 3, 701, 1)
    return (np.round(x * 256) / 256).reshape(2 * n, c, t).astype(np.float32)

def write(name, cases):
    with open(os.path.join(HERE, name), "w") as o:
        json.dump(dict(versions=f"aeon {aeon.__version__}, numba {numba.__version__}, numpy {np.__version__}", cases=cases), o, separators=(",", ":")); o.write("\n")

cases = []
for n, c, t, kernels, seed in [(6, 1, 50, 1000, 3), (5, 3, 40, 300, 4), (4, 1, 9, 84, 5), (3, 1, 700, 10000, 6), (4, 2, 131, 2000, 7), (2, 1, 3500, 700, 8)]:
    x = rounded(n, c, t)
    m = MiniRocket(n_kernels=kernels, random_state=seed).fit(x[:n])
    count, channels, dilations, per, biases = m.parameters
    f = np.asarray(m.transform(x[n:]), np.float64)
    pick = np.unique(np.linspace(0, f.shape[1] - 1, 150).astype(int))   # enough of them; all go into the sums
    cases.append(dict(n=n, c=c, t=t, kernels=kernels, rows=drawn(seed, n, 84 * len(dilations)).tolist(), count=count.tolist() if c > 1 else [], channels=channels.tolist() if c > 1 else [], dilations=dilations.tolist(),
        per=per.tolist(), pick=pick.tolist(), biases=r(biases[pick], 8), bias_sum=float(biases.astype(float).sum()), features=r(f[:, pick], 7), row_sums=f.sum(1).tolist()))
write("aeon_minirocket.json", cases)

cases = []
for n, c, t, kernels, seed in [(4, 1, 50, 500, 3), (3, 3, 40, 300, 4), (3, 1, 10, 84, 5), (2, 1, 700, 6250, 6), (3, 2, 131, 1000, 7), (2, 1, 3500, 500, 8), (2, 2, 2100, 300, 9)]:
    x = rounded(n, c, t)
    m = MultiRocket(n_kernels=kernels, random_state=seed).fit(x[:n])
    base, diff = m.parameter, m.parameter1
    if c > 1:   # its transform takes the channels of the series for the differences too: fit their biases with the same ones
        count, channels, dilations = base[:3]
        assert len(dilations) == len(diff[2])
        m.parameter1 = diff = (count, channels, *diff[2:4], _multirocket._fit_biases_multivariate(np.diff(x[:n]), count, channels, *diff[2:4], _multirocket._quantiles(len(diff[4])), MultiRocket._indices, seed))
    f = np.asarray(m.transform(x[n:]), np.float64)
    pick = np.unique(np.linspace(0, f.shape[1] - 1, 240).astype(int))
    out = dict(n=n, c=c, t=t, kernels=kernels, rows=drawn(seed, n, 84 * max(len(base[-3]), len(diff[-3]))).tolist(), count=base[0].tolist() if c > 1 else [], channels=base[1].tolist() if c > 1 else [],
        pick=pick.tolist(), features=r(f[:, pick], 7), sums=f.reshape(n, 8, -1).sum(2).tolist())   # sums of the four pools, of the series and of the differences
    for name, p in ("base", base), ("diff", diff): out[name] = dict(dilations=p[-3].tolist(), per=p[-2].tolist(), bias_sum=float(p[-1].astype(float).sum()))
    cases.append(out)
write("aeon_multirocket.json", cases)
