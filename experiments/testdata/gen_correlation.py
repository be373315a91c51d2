"""Writes correlation.json: the three correlation maps of a small made-up series, by NumPy and SciPy.

Run: python gen_correlation.py   (the versions used are in the file's first entry)
The series is a formula, so that the file holds the results only: x[i][t] for capture i, step t, class i % 3."""
import json, sys
import numpy as np, scipy
from scipy.signal import correlate

N, T, K, STEP = 7, 40, 3, 0.1
x = np.array([[(t * t + 7 * i * t + 13 * (i % K)) % 17 * (1 + (t + 3 * (i % K)) % 5) for t in range(T)] for i in range(N)], float)
x[5] = 4.0  # a constant capture
x = x.astype(np.float32).astype(float)
y = np.arange(N) % K
order = np.argsort(y, kind="stable")
with np.errstate(invalid="ignore"):
    captures = np.corrcoef(x[order])
ys = y[order]
pair = ~np.eye(N, dtype=bool) & ~np.isnan(captures)
same = ys[:, None] == ys[None, :]
joined = [x[order][ys == k].ravel() for k in range(K)]
cut = min(map(len, joined))
joined = np.array([j[:cut] for j in joined])
z = joined - joined.mean(1, keepdims=True)
z /= np.linalg.norm(z, axis=1, keepdims=True)
best, lag = np.zeros((K, K)), np.zeros((K, K))
lags = np.arange(-(T - 1), T)
for i in range(K):
    for j in range(K):
        full = correlate(z[i], z[j], mode="full", method="direct")[lags + cut - 1]
        best[i, j], lag[i, j] = full.max(), lags[full.argmax()] * STEP
clean = lambda a: [[None if np.isnan(v) else v for v in row] for row in a.tolist()]
json.dump({"versions": f"python {sys.version.split()[0]}, numpy {np.__version__}, scipy {scipy.__version__}",
           "captures": clean(captures), "within": captures[pair & same].mean(), "between": captures[pair & ~same].mean(),
           "songs": clean(np.corrcoef(joined)), "cut": cut, "max": clean(best), "lag": clean(lag)},
          open("correlation.json", "w"), indent=1)
