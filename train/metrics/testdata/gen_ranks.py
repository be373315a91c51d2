"""Writes ranks.json: what scipy computes for tests of several models on several data sets, and for the bootstrap.

usage: python gen_ranks.py > ranks.json      (scipy 1.17.1, numpy 2.3.5)
"""
import itertools
import json
import math

import numpy
import scipy
from scipy import stats

out = {"versions": f"scipy {scipy.__version__}, numpy {numpy.__version__}"}
rng = numpy.random.default_rng(11)

# Survival function and quantiles of the studentized range with infinite degrees of freedom. scipy integrates adaptively,
# to about 1e-11 absolutely; small tails are left out.
out["range"] = [[q, k, float(stats.studentized_range.sf(q, k, math.inf))]
                for k in (2, 3, 4, 5, 10, 20, 50) for q in (0.01, 0.5, 1.0, 2.0, 3.3, 4.5, 6.0)]
out["quantiles"] = [[alpha, k, float(stats.studentized_range.isf(alpha, k, math.inf))]
                    for alpha in (0.01, 0.05, 0.1, 0.5) for k in (2, 3, 4, 7, 10, 30)]


def holm(p):
    order = sorted(range(len(p)), key=lambda i: p[i])
    res, top = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        top = max(top, min(1.0, (len(p) - rank) * p[i]))
        res[i] = top
    return res


studies = []
for n, k, tied in [(14, 4, True), (6, 3, False), (40, 9, True), (30, 5, False), (2, 3, False)]:
    # sixteenths are exact in binary, so that ties are ties
    scores = rng.integers(4, 16, (n, k)) / 16 if tied else 0.7 + 0.1 * rng.standard_normal((n, k))
    scores = scores + (numpy.arange(k) / 16 if n > 6 else 0)
    chi, p = stats.friedmanchisquare(*scores.T)
    ranks = numpy.apply_along_axis(lambda row: stats.rankdata(-row), 1, scores)
    rest = n * (k - 1) - chi
    f = (n - 1) * chi / rest
    mean = ranks.mean(axis=0)
    se = math.sqrt(k * (k + 1) / (6 * n))
    row = {"scores": scores.tolist(), "ranks": mean.tolist(), "chi": float(chi), "p": float(p), "f": float(f), "pf": float(stats.f.sf(f, k - 1, (k - 1) * (n - 1))),
           "cd": float(stats.studentized_range.isf(0.05, k, math.inf)) / math.sqrt(2) * se,
           "nemenyi": [[float(stats.studentized_range.sf(abs(a - b) / se * math.sqrt(2), k, math.inf)) if a != b else 1.0 for b in mean] for a in mean]}
    if n <= 30:  # the exact distribution, ties included, by going through all signs
        w = {}
        for i, j in itertools.combinations(range(k), 2):
            d = numpy.round(scores[:, i] - scores[:, j], 12)
            d = d[d != 0]
            r = stats.rankdata(abs(d)) * 2  # whole
            count = {0: 1}
            for v in r:
                new = dict(count)
                for s, c in count.items():
                    new[s + v] = new.get(s + v, 0) + c
                count = new
            least = min(r[d > 0].sum(), r[d < 0].sum())
            w[i, j] = min(1.0, 2 * sum(c for s, c in count.items() if s <= least) / 2 ** len(d))
            if not tied and len(d) == n:
                assert abs(w[i, j] - stats.wilcoxon(d, method="exact").pvalue) < 1e-12
        row["wilcoxon"] = list(w.values())  # pairs (0, 1), (0, 2) ... (1, 2) ...
        row["holm"] = holm(row["wilcoxon"])
    studies.append(row)
out["studies"] = studies

# Five values: all 3125 draws are equally likely, so the percentiles of very many draws are known where the
# distribution has no step beside them.
x = [1.0, 2.0, 4.0, 8.0, 16.0]
draws = sorted(sum(d) / 5 for d in itertools.product(x, repeat=5))
out["bootstrap"] = {"x": x, "level": 0.8, "lo": draws[int(0.1 * 3125)], "hi": draws[int(0.9 * 3125)]}
b = stats.bootstrap((x,), numpy.mean, n_resamples=200000, method="percentile", confidence_level=0.8, rng=1).confidence_interval
assert abs(b.low - out["bootstrap"]["lo"]) < 1e-9 and abs(b.high - out["bootstrap"]["hi"]) < 1e-9, (b, out["bootstrap"])

print(json.dumps(out, separators=(",", ":")).replace('{"scores"', '\n{"scores"').replace('"quantiles"', '\n"quantiles"'))
