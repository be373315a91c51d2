"""Writes openworld.json: open-world counts by going through every capture, and precision_recall_curve of scikit-learn on
the collapse into monitored and other.

usage: python gen_openworld.py > openworld.json      (scikit-learn 1.7.2, numpy 2.3.5, scipy 1.17.1)
"""
import json

import numpy
import scipy
import sklearn
from scipy import stats
from sklearn.metrics import precision_recall_curve

BASES = [1, 20, 1000]
rng = numpy.random.default_rng(5)


def count(truth, said, other, k):
    """Counts of an open world, capture by capture."""
    w = {"monitored": 0, "right": 0, "wrong": 0, "others": 0, "false": 0}
    for t, s in zip(truth, said):
        if t == other:
            w["others"] += 1
            w["false"] += int(s != other)
        else:
            w["monitored"] += 1
            w["right"] += int(s == t)
            w["wrong"] += int(s != t and s != other)
    return w


def pooled(w, base):
    alarms = w["right"] / w["monitored"] + w["wrong"] / w["monitored"] + base * (w["false"] / w["others"] if w["others"] else 0)
    return w["right"] / w["monitored"] / alarms if alarms else None


def macro(truth, said, other, k, base):
    """A world of one visit to each monitored class and base visits to other for each of those, capture by capture weighed."""
    names = [c for c in range(k) if c != other]
    weight = {c: 1 / max(1, (truth == c).sum()) for c in names}
    weight[other] = base * len(names) / max(1, (truth == other).sum())
    total = 0.0
    for c in names:
        right = sum(weight[t] for t, s in zip(truth, said) if s == c and t == c)
        alarms = sum(weight[t] for t, s in zip(truth, said) if s == c)
        total += right / alarms if alarms else 0.0
    return total / len(names)


cases = []
# (N, K, other, separation, digits): few digits make ties
for n, k, other, apart, digits in [(60, 4, 2, 1.5, 2), (25, 4, 0, 0.5, 1), (40, 2, 1, 1.0, 3), (30, 5, 4, 6.0, 2), (12, 3, 1, 0.0, 1)]:
    truth = numpy.concatenate([numpy.arange(k), rng.choice(k, n - k, p=[0.6 if c == other else 0.4 / (k - 1) for c in range(k)])])
    z = rng.standard_normal((n, k)) + apart * (truth[:, None] == numpy.arange(k))
    scores = numpy.exp(z) / numpy.exp(z).sum(axis=1, keepdims=True)
    scores = numpy.round(scores, digits).astype(numpy.float32)
    said = scores.argmax(axis=1)
    case = {"k": k, "other": other, "truth": truth.tolist(), "scores": [[float(str(v)) for v in row] for row in scores]}
    case["argmax"] = count(truth, said, other, k)
    case["precision"] = [pooled(case["argmax"], b) for b in BASES]
    case["macro"] = [macro(truth, said, other, k, b) for b in BASES]

    names = [c for c in range(k) if c != other]
    monitored = scores[:, names]
    best, top = numpy.array(names)[monitored.argmax(axis=1)], monitored.max(axis=1)
    precision, recall, thresholds = precision_recall_curve((truth != other).astype(int), top)
    case["sklearn"] = {"precision": precision[:-1].tolist(), "recall": recall[:-1].tolist(), "thresholds": [float(str(v)) for v in thresholds]}
    case["curve"] = []
    for t in thresholds:  # rising
        said = numpy.where(top >= t, best, other)
        w = count(truth, said, other, k)
        case["curve"].append([w["right"], w["wrong"], w["false"]] + [pooled(w, b) for b in BASES] + [macro(truth, said, other, k, b) for b in BASES])
    case["best"] = []
    for base, target in [(1, 0.9), (20, 0.5), (1000, 0.999), (20, 0.0)]:
        found = [(row[0], i) for i, row in enumerate(case["curve"]) if row[3 + BASES.index(base)] is not None and row[3 + BASES.index(base)] >= target]
        case["best"].append([base, target, max(found)[0] / case["argmax"]["monitored"] if found else -1])
    cases.append(case)

clustered = []  # Korn and Graubard's interval, as the paper's formulas say
for k, n, level in [([11, 6, 5, 0, 0, 0, 0, 0, 0], [12] * 9, 0.95), ([1, 0, 0, 0, 0, 0, 0, 0, 0], [12] * 9, 0.95), ([0] * 5, [7, 3, 9, 1, 4], 0.95),
                    ([3, 3, 3, 3], [12] * 4, 0.95), ([7, 3, 9, 1, 4], [7, 3, 9, 1, 4], 0.9), ([2.5, 0.5, 3], [4, 8, 6], 0.99), ([1, 0], [1, 1], 0.95)]:
    k, n = numpy.array(k, float), numpy.array(n, float)
    m, total = len(n), n.sum()
    p = k.sum() / total
    v = m / (m - 1) * ((k - p * n) ** 2).sum() / total ** 2
    eff = p * (1 - p) / v if v > 0 else total
    q = 1 - (1 - level) / 2
    eff = min(total, eff * (stats.t.ppf(q, total - 1) / stats.t.ppf(q, m - 1)) ** 2)
    lo = stats.beta.ppf(1 - q, eff * p, eff - eff * p + 1) if k.sum() > 0 else 0.0
    hi = stats.beta.ppf(q, eff * p + 1, eff - eff * p) if k.sum() < total else 1.0
    clustered.append({"trials": n.tolist(), "successes": k.tolist(), "level": level, "lo": float(lo), "hi": float(hi)})

print(json.dumps({"versions": f"scikit-learn {sklearn.__version__}, numpy {numpy.__version__}, scipy {scipy.__version__}", "bases": BASES, "clustered": clustered, "cases": cases},
                 separators=(",", ":")).replace('{"k"', '\n{"k"'))
