# Writes logistic.json: scikit-learn's multinomial logistic regression on standardized features, the model of the controls
# "totals" and "duration". Run: python gen_logistic.py  (scikit-learn 1.7.2, numpy 2.4.6)
import json
import pathlib

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

r = np.random.default_rng(5)
cases = []
for name, n, f, k, spread in [("two features, three classes", 60, 2, 3, 1.0), ("one feature, two classes", 40, 1, 2, 2.0),
                              ("separable", 30, 2, 3, 12.0), ("a constant feature", 30, 2, 2, 1.0)]:
    y = np.arange(n) % k
    x = r.normal(size=(n, f)) + spread * np.stack([np.cos(2.1 * y + i) for i in range(f)], axis=1)
    if name == "a constant feature":
        x[:, 1] = 7.0
    x = np.round(x, 6)
    scaler = StandardScaler().fit(x)
    model = LogisticRegression(C=1.0, tol=1e-10, max_iter=10000).fit(scaler.transform(x), y)
    p = model.predict_proba(scaler.transform(x))
    if k == 2:  # scikit-learn fits two classes with one weight vector; two that mirror each other are the same model at C = 2
        model = LogisticRegression(C=2.0, tol=1e-10, max_iter=10000).fit(scaler.transform(x), y)
        p = model.predict_proba(scaler.transform(x))
    cases.append({"name": name, "x": x.tolist(), "y": y.tolist(), "k": k, "proba": np.round(p, 9).tolist()})
out = {"tools": f"scikit-learn {sklearn.__version__}, numpy {np.__version__}", "cases": cases}
pathlib.Path(__file__).with_name("logistic.json").write_text(json.dumps(out, separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")
