"""Writes golden.json: what scipy and scikit-learn compute for the functions of this package.

usage: python gen_scipy.py > golden.json      (scipy 1.17.1, scikit-learn 1.7.2, numpy 2.4.6)
"""
import itertools
import json
import math

import numpy
import scipy
import sklearn
from scipy import stats
from sklearn import metrics

out = {"versions": f"scipy {scipy.__version__}, scikit-learn {sklearn.__version__}, numpy {numpy.__version__}"}
rng = numpy.random.default_rng(7)


def num(x):
    x = float(x)
    return None if math.isnan(x) else ("inf" if x == math.inf else "-inf" if x == -math.inf else x)


intervals = []
for k, n in [(0, 1), (1, 1), (0, 22), (22, 22), (8, 22), (3, 4), (1, 10), (50, 111), (499, 1000), (1, 100000), (99999, 100000), (37, 60)]:
    for level in (0.5, 0.9, 0.95, 0.999):
        b = stats.binomtest(k, n)
        w, alpha = b.proportion_ci(level, "wilson"), (1 - level) / 2
        # not proportion_ci(level, "exact"): its root finder stops at an absolute error, which shows near 0
        low = stats.beta.ppf(alpha, k, n - k + 1) if k else 0.0
        high = stats.beta.isf(alpha, k + 1, n - k) if k < n else 1.0
        intervals.append([k, n, level, float(low), float(high), w.low, w.high])
out["intervals"] = intervals

out["tails"] = [[k, n, p, float(stats.binom.sf(k - 1, n, p))]
                for n in (1, 7, 22, 111, 5000) for p in (0.0, 1 / 60, 1 / 3, 0.5, 0.9, 1.0) for k in (0, 1, n // 3, n // 2, n, n + 1)]
out["mcnemar"] = [[b, c, stats.binomtest(b, b + c, 0.5).pvalue if b + c else 1.0] for b, c in itertools.product((0, 1, 2, 5, 9, 40, 300), repeat=2)]


def power(n, p0, p1, alpha):
    k = int(stats.binom.isf(alpha, n, p0)) + 1
    while stats.binom.sf(k - 1, n, p0) > alpha:
        k += 1
    while k > 0 and stats.binom.sf(k - 2, n, p0) <= alpha:
        k -= 1
    return k, stats.binom.sf(k - 1, n, p1) if k <= n else 0.0


points = []
for p0, p1, alpha, want in [(1 / 3, 0.61, 0.05, 0.8), (1 / 3, 0.45, 0.05, 0.8), (0.5, 0.6, 0.01, 0.9), (0.01, 0.05, 0.05, 0.8), (0.9, 1.0, 0.05, 0.8),
                            (1 / 3, 0.36, 0.05, 0.8), (0.5, 0.52, 0.05, 0.9)]:
    n = 1
    while power(n, p0, p1, alpha)[1] < want:
        n += 1
    points.append([p0, p1, alpha, want, n, power(n, p0, p1, alpha)[0]])
out["points"] = points

detectable = []
for n in (22, 60, 111, 300, 2000):
    k = power(n, 1 / 3, 0.5, 0.05)[0]
    detectable.append([1 / 3, 0.05, 0.8, n, k, float(stats.beta.ppf(0.8, k, n - k + 1))])
out["detectable"] = detectable

confusions = []
for k, n in [(2, 10), (3, 22), (6, 100), (4, 5)]:
    truth, pred = rng.integers(0, k, n), rng.integers(0, max(1, k - 1), n)
    labels = list(range(k))
    kw = dict(labels=labels, average=None, zero_division=0)
    confusions.append({"k": k, "truth": truth.tolist(), "pred": pred.tolist(), "confusion": metrics.confusion_matrix(truth, pred, labels=labels).tolist(),
                       "accuracy": metrics.accuracy_score(truth, pred), "macro_f1": metrics.f1_score(truth, pred, labels=labels, average="macro", zero_division=0),
                       "precision": metrics.precision_score(truth, pred, **kw).tolist(), "recall": metrics.recall_score(truth, pred, **kw).tolist()})
out["confusions"] = confusions


def corrected(d, train, test, level, mu0):
    """Nadeau and Bengio (2003) by hand; scipy gives the distribution."""
    n, mean, sd = len(d), float(numpy.mean(d)), float(numpy.std(d, ddof=1))
    se = sd * math.sqrt(1 / n + test / train)
    t = stats.t(n - 1)
    half = se * t.ppf((1 + level) / 2)
    return {"mean": mean, "sd": sd, "lo": mean - half, "hi": mean + half, "p": float(t.sf((mean - mu0) / se)),
            "two_sided": float(2 * t.sf(abs(mean) / se)), "t": mean / se}


resampled = []
for n, train, test, level in [(2, 89, 22, 0.95), (5, 89, 22, 0.95), (30, 800, 200, 0.9), (100, 396, 99, 0.95)]:
    acc = (rng.integers(8, 20, n) / 22).tolist()
    resampled.append({"acc": acc, "train": train, "test": test, "level": level, "mu0": 0.5, **corrected(acc, train, test, level, 0.5)})
out["resampled"] = resampled


def signed_rank_interval(d, level):
    """By inverting the exact test: the shifts that it does not reject, between Walsh averages."""
    n = len(d)
    walsh = sorted((d[i] + d[j]) / 2 for i in range(n) for j in range(i, n))
    keep = []
    for lo, hi in zip([walsh[0] - 1] + walsh, walsh + [walsh[-1] + 1]):
        shift = (lo + hi) / 2
        if stats.wilcoxon(numpy.array(d) - shift, method="exact").pvalue > 1 - level:
            keep += [lo, hi]
    lo, hi = min(keep), max(keep)
    return [-math.inf if lo < walsh[0] else lo, math.inf if hi > walsh[-1] else hi]


def sign_interval(d, level):
    d, n, drop = sorted(d), len(d), 0
    while stats.binom.cdf(drop, n, 0.5) <= (1 - level) / 2:
        drop += 1
    return [d[drop - 1], d[n - drop]] if drop else [-math.inf, math.inf]


compare = []
for n, shift, ties in [(2, 0.0, False), (5, 0.1, False), (8, 0.05, False), (12, 0.02, False), (30, 0.01, False), (9, 0.125, True), (12, 0.0, True)]:
    if ties:  # exact in binary, so that ties are ties
        a, b = rng.integers(4, 12, n) / 16 + shift, rng.integers(4, 12, n) / 16
    else:
        a, b = 0.6 + 0.1 * rng.standard_normal(n) + shift, 0.6 + 0.1 * rng.standard_normal(n)
    a, b = [float(x) for x in a], [float(x) for x in b]
    d = [x - y for x, y in zip(a, b)]
    row = {"a": a, "b": b, "level": 0.95, "tests": {}}

    def put(name, r, df, ci):
        row["tests"][name] = [num(r.statistic), num(df), num(r.pvalue), num(ci[0]), num(ci[1])]

    for name, r in [("student", stats.ttest_ind(a, b)), ("welch", stats.ttest_ind(a, b, equal_var=False)), ("paired", stats.ttest_rel(a, b))]:
        ci = r.confidence_interval(0.95)
        put(name, r, r.df, (ci.low, ci.high))
    c = corrected(d, 89, 22, 0.95, 0.0)
    row["tests"]["corrected"] = [c["t"], n - 1, c["two_sided"], c["lo"], c["hi"]]
    z = [x for x in d if x != 0]
    plus = sum(x > 0 for x in z)
    sign = sign_interval(d, 0.95)
    row["tests"]["sign"] = [plus, None, float(stats.binomtest(plus, len(z), 0.5).pvalue), num(sign[0]), num(sign[1])]
    w = stats.wilcoxon(z, method=stats.PermutationMethod(n_resamples=numpy.inf) if ties else "exact")
    ci = [math.nan, math.nan] if ties or n > 12 else signed_rank_interval(d, 0.95)
    row["tests"]["wilcoxon"] = [num(w.statistic), None, num(w.pvalue), num(ci[0]), num(ci[1])]
    compare.append(row)
out["compare"] = compare

a, b = (0.6 + 0.1 * rng.standard_normal(400)), (0.59 + 0.1 * rng.standard_normal(400))
w = stats.wilcoxon(a, b, correction=False, method="asymptotic")
out["wilcoxon_large"] = {"a": a.tolist(), "b": b.tolist(), "statistic": float(w.statistic), "p": float(w.pvalue)}


def holm(p):
    order = sorted(range(len(p)), key=lambda i: p[i])
    res, top = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        top = max(top, min(1.0, (len(p) - rank) * p[i]))
        res[i] = top
    return res


p = [0.01, 0.04, 0.03, 0.005, 0.5, 0.04]
out["holm"] = {"p": p, "adjusted": holm(p)}

print(json.dumps(out, indent=None, separators=(",", ":")).replace('"compare"', '\n"compare"').replace('"tails"', '\n"tails"').replace('"confusions"', '\n"confusions"'))
