# aeon 1.6.0, numba 0.68.1, numpy 2.4.6
"""Writes aeon_minirocket.json: parameters and features of aeon's MiniRocket on data that a formula makes (gen_sklearn.py's,
rounded to 1/256 so that every sum is exact in single precision)."""
import json, os
import numpy as np, numba, aeon
from aeon.transformations.collection.convolution_based import MiniRocket
from gen_sklearn import data, r, HERE

@numba.njit
def drawn(seed, n, combinations):
    """the series that _fit_biases draws"""
    np.random.seed(seed)
    out = np.zeros(combinations, np.int64)
    for i in range(combinations): out[i] = np.random.randint(n)
    return out

cases = []
for n, c, t, kernels, seed in [(6, 1, 50, 1000, 3), (5, 3, 40, 300, 4), (4, 1, 9, 84, 5), (3, 1, 700, 10000, 6), (4, 2, 131, 2000, 7)]:
    x, _ = data(2 * n, c * t, 3, 701, 1)
    x = (np.round(x * 256) / 256).reshape(2 * n, c, t).astype(np.float32)
    m = MiniRocket(n_kernels=kernels, random_state=seed).fit(x[:n])
    count, channels, dilations, per, biases = m.parameters
    f = np.asarray(m.transform(x[n:]), np.float64)
    pick = np.unique(np.linspace(0, f.shape[1] - 1, 150).astype(int))   # enough of them; all go into the sums
    cases.append(dict(n=n, c=c, t=t, kernels=kernels, rows=drawn(seed, n, 84 * len(dilations)).tolist(), count=count.tolist() if c > 1 else [], channels=channels.tolist() if c > 1 else [], dilations=dilations.tolist(),
        per=per.tolist(), pick=pick.tolist(), biases=r(biases[pick], 8), bias_sum=float(biases.astype(float).sum()), features=r(f[:, pick], 7), row_sums=f.sum(1).tolist()))
with open(os.path.join(HERE, "aeon_minirocket.json"), "w") as o:
    json.dump(dict(versions=f"aeon {aeon.__version__}, numba {numba.__version__}, numpy {np.__version__}", cases=cases), o, separators=(",", ":")); o.write("\n")
