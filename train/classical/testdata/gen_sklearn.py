# scikit-learn 1.7.2, numpy 2.4.6, scipy 1.17.1
"""Writes sklearn_*.json beside this file: what scikit-learn answers on data that a formula makes (data below, and
formula in data_test.go), so that the files hold outputs only.   usage: gen_sklearn.py [NAME...]"""
import json, os, sys, warnings
import numpy as np, sklearn, scipy
warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))

def mix(v):
    """splitmix64's finalizer, upper 20 bits"""
    v = (v + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
    v = (v ^ (v >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    v = (v ^ (v >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((v ^ (v >> np.uint64(31))) >> np.uint64(44)).astype(np.int64)

def data(n, f, k, seed, sep, start=0):
    """n rows from row start on, f features, k classes in turn; sep times the class's offset in the first half of the features.
    Multiples of 2^-20 below 8: exact in single precision."""
    i, j = np.meshgrid(np.arange(start, start + n), np.arange(f), indexing="ij")
    y = i % k
    at = lambda s, a: mix((np.uint64(s) << np.uint64(40)) + (a.astype(np.uint64) << np.uint64(20)) + j.astype(np.uint64))
    x = at(seed, i) + at(seed + 1, i) + at(seed + 2, i) + np.where(j < (f + 1) // 2, sep * at(seed + 3, y), 0)
    return x / 2.0**20, y[:, 0]

def r(a, digits=10):
    return json.loads(json.dumps(np.asarray(a, float).tolist()), parse_float=lambda s: float(f"%.{digits}g" % float(s)))

def unique(m, x, y, weight, leaf):
    """whether at every node the best split is better than every other by more than rounding"""
    t = m.tree_; path = m.decision_path(x).toarray().astype(bool)
    def impurity(c):
        p = c / c.sum(-1, keepdims=True)
        return 1 - (p * p).sum(-1) if m.criterion == "gini" else -(p * np.log2(np.where(p > 0, p, 1))).sum(-1)
    for node in np.flatnonzero(t.feature >= 0):
        rows = np.flatnonzero(path[:, node]); scores = []
        for j in range(x.shape[1]):
            o = rows[np.argsort(x[rows, j], kind="stable")]
            c = np.cumsum(np.eye(y.max() + 1)[y[o]] * weight[o][:, None], 0); l, r = c[:-1], c[-1] - c[:-1]
            s = l.sum(1) * impurity(l) + r.sum(1) * impurity(np.where(r.sum(1, keepdims=True) > 0, r, 1)); at = np.arange(1, len(o))
            scores.append(s[(np.diff(x[o, j]) > 1e-7) & (at >= leaf) & (len(o) - at >= leaf)])
        s = np.sort(np.concatenate(scores))
        if len(s) > 1 and s[1] - s[0] < 1e-9 * max(1, s[0]): return False
    return True

def tree():
    from sklearn.tree import DecisionTreeClassifier
    cases = []
    for n, f, k, sep, kw in [(300, 8, 4, 1, dict(max_depth=5, min_samples_leaf=8)), (300, 8, 4, 1, dict(max_depth=5, min_samples_leaf=8, criterion="entropy")),
                             (60, 4, 3, 6, dict()), (60, 4, 3, 6, dict(criterion="entropy")),
                             (300, 6, 3, 1, dict(max_depth=4, min_samples_leaf=10, class_weight="balanced")),
                             (300, 6, 3, 2, dict(min_samples_split=40, min_samples_leaf=5, criterion="entropy"))]:
        # Ties are broken by a random order of the features, or by the last bit: a case serves only when it has none.
        for seed in range(100, 10000, 10):
            x, y = data(n, f, k, seed, sep)
            if "class_weight" in kw: keep = (y > 0) | (np.arange(n) % 9 == 0); x, y = x[keep], y[keep]
            m = DecisionTreeClassifier(random_state=0, **kw).fit(x, y); t = m.tree_
            w = (len(y) / k / np.bincount(y))[y] if "class_weight" in kw else np.ones(len(y))
            if t.node_count > 6 and unique(m, x, y, w, kw.get("min_samples_leaf", 1)): break
        else: raise SystemExit(f"no data without ties for {n, f, k, kw}")
        xt, _ = data(50, f, k, seed, sep, start=n)
        cases.append(dict(n=n, f=f, k=k, seed=seed, sep=sep, settings={a: str(b) for a, b in kw.items()}, feature=t.feature.clip(-1).tolist(), left=t.children_left.tolist(), right=t.children_right.tolist(),
            threshold=r(np.where(t.feature < 0, 0, t.threshold), 17), impurity=r(t.impurity), rows=t.n_node_samples.tolist(), proba=r(m.predict_proba(xt)), importances=r(m.feature_importances_)))
    return cases

def forest():
    from sklearn.ensemble import RandomForestClassifier, ExtraTreesClassifier
    cases = []
    for name, cls, kw in [("forest", RandomForestClassifier, {}), ("forest", RandomForestClassifier, dict(criterion="entropy", max_features="log2")),
                          ("extratrees", ExtraTreesClassifier, {}), ("forest", RandomForestClassifier, dict(class_weight="balanced", min_samples_leaf=3, max_depth=6))]:
        x, y = data(200, 9, 3, 21, 1)
        if "class_weight" in kw: keep = (y > 0) | (np.arange(200) % 9 == 0); x, y = x[keep], y[keep]
        xt, yt = data(40, 9, 3, 21, 1, start=200)
        v = []
        for s in range(30):
            m = cls(50, random_state=s, n_jobs=1, **kw).fit(x, y)
            v.append(np.concatenate([m.predict_proba(xt).ravel(), m.feature_importances_, [np.mean([e.tree_.node_count for e in m.estimators_]), np.mean([e.tree_.max_depth for e in m.estimators_])]]))
        v = np.array(v)
        cases.append(dict(model=name, settings={a: str(b) for a, b in kw.items()}, mean=r(v.mean(0), 7), sd=r(v.std(0, ddof=1), 5)))
    return cases

def simple():
    """models whose answer has one value: probabilities, decisions, coefficients"""
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.naive_bayes import GaussianNB, MultinomialNB
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import RidgeClassifier, RidgeClassifierCV, LogisticRegression
    exact = dict(tol=1e-11, max_iter=100000)
    cases = []
    for name, cls, n, f, k, kw in [
        *[("knn", KNeighborsClassifier, 150, 10, 3, dict(n_neighbors=nn, weights=w, metric=m)) for nn, w, m in [(1, "uniform", "euclidean"), (5, "uniform", "manhattan"), (7, "distance", "euclidean"), (4, "distance", "manhattan")]],
        ("gnb", GaussianNB, 90, 6, 3, {}), ("gnb", GaussianNB, 90, 6, 3, dict(var_smoothing=0.1)),
        ("mnb", MultinomialNB, 90, 6, 3, {}), ("mnb", MultinomialNB, 90, 6, 3, dict(alpha=0.2)),
        ("dummy", DummyClassifier, 50, 2, 3, {}), ("dummy", DummyClassifier, 50, 2, 3, dict(strategy="most_frequent")), ("dummy", DummyClassifier, 50, 2, 3, dict(strategy="uniform")),
        ("ridge", RidgeClassifier, 90, 6, 3, dict(alpha=2.5)), ("ridge", RidgeClassifier, 90, 6, 2, dict(class_weight="balanced")), ("ridge", RidgeClassifier, 30, 50, 3, {}),
        ("ridge", RidgeClassifierCV, 90, 8, 3, dict(alphas=[0.01, 0.1, 1, 10, 100, 1000])), ("ridge", RidgeClassifierCV, 40, 60, 3, dict(alphas=[0.01, 0.1, 1, 10, 100, 1000])), ("ridge", RidgeClassifierCV, 90, 8, 2, dict(alphas=[0.1, 1, 10, 100])),
        ("logistic", LogisticRegression, 90, 6, 3, exact), ("logistic", LogisticRegression, 90, 6, 2, dict(C=0.1, **exact)), ("logistic", LogisticRegression, 90, 6, 4, dict(C=10, class_weight="balanced", **exact)),
    ]:
        x, y = data(n, f, k, 31, 1)
        if "class_weight" in kw: keep = (y > 0) | (np.arange(n) % 9 == 0); x, y = x[keep], y[keep]
        xt, _ = data(20, f, k, 31, 1, start=n)
        if name == "knn": xt = np.concatenate([xt, x[:3]])   # distance 0
        m = cls(**kw).fit(x, y)
        c = dict(model=name, n=n, f=f, k=k, settings={a: ":".join(map(str, b)) if isinstance(b, list) else str(b) for a, b in kw.items()}, pred=m.predict(xt).tolist())
        if hasattr(m, "predict_proba"): c["proba"] = r(m.predict_proba(xt))
        if hasattr(m, "decision_function"): c["decision"] = r(m.decision_function(xt).reshape(len(xt), -1))
        if hasattr(m, "coef_"): c.update(coef=r(np.atleast_2d(m.coef_)), intercept=r(np.atleast_1d(m.intercept_)))
        if hasattr(m, "alpha_"): c["alpha"] = float(m.alpha_)
        if name == "dummy" and kw.get("strategy") == "uniform": del c["pred"]
        cases.append(c)
    return cases

def svm():
    """decision values (one-vs-one), support vectors; Platt's sigmoid and the coupling on given decision values"""
    from sklearn.svm import SVC
    from scipy.optimize import minimize
    from scipy.special import expit
    cases = []
    for n, f, k, sep, kw in [(120, 6, 3, 1, {}), (120, 6, 3, 1, dict(kernel="linear")), (300, 10, 2, 1, dict(C=10, gamma=0.3)), (200, 10, 4, 1, dict(C=0.1, gamma="auto")),
                             (120, 6, 3, 1, dict(kernel="linear", C=10)), (120, 6, 2, 1, dict(kernel="linear", class_weight="balanced")), (150, 6, 5, 2, dict(class_weight="balanced", C=5)),
                             (700, 8, 2, 0.3, dict(C=100)), (1500, 4, 2, 0.5, dict(kernel="linear", C=1))]:
        x, y = data(n, f, k, 41, sep)
        if "class_weight" in kw: keep = (y > 0) | (np.arange(n) % 9 == 0); x, y = x[keep], y[keep]
        xt, _ = data(20, f, k, 41, sep, start=n)
        m = SVC(decision_function_shape="ovo", **kw).fit(x, y)
        cases.append(dict(n=n, f=f, k=k, sep=sep, settings={a: str(b) for a, b in kw.items()}, decision=r(m.decision_function(xt).reshape(20, -1)), support=m.n_support_.tolist(), pred=m.predict(xt).tolist(), iterations=int(m.n_iter_.sum())))
    coupling = []
    for k in (2, 3, 5):
        x, y = data(150, 6, k, 51, 1); xt, _ = data(20, 6, k, 51, 1, start=150)
        m = SVC(probability=True, random_state=0, decision_function_shape="ovo").fit(x, y)
        d = m.decision_function(xt).reshape(20, -1)
        coupling.append(dict(k=k, decision=r(-d if k == 2 else d, 17), a=r(m.probA_, 17), b=r(m.probB_, 17), proba=r(m.predict_proba(xt))))
    sigmoids = []
    for n, f, sep in [(60, 4, 1), (200, 8, 0.3), (40, 6, 4)]:
        x, y = data(n, f, 2, 61, sep); x, y = np.concatenate([x[y == 0], x[y == 1]]), np.sort(y)
        d = SVC().fit(x, y).decision_function(x); pos = (y == 0).sum()   # above 0 for the second class: A comes out positive
        t = np.where(y == 0, (pos + 1) / (pos + 2), 1 / (n - pos + 2))
        loss = lambda v: np.sum(t * np.logaddexp(0, v[0] * d + v[1]) + (1 - t) * np.logaddexp(0, -v[0] * d - v[1]))
        grad = lambda v: np.array([(d * (expit(v[0] * d + v[1]) - 1 + t)).sum(), (expit(v[0] * d + v[1]) - 1 + t).sum()])
        s = minimize(loss, [0.0, 0.0], jac=grad, method="BFGS", options=dict(gtol=1e-9))
        sigmoids.append(dict(decision=r(d, 17), first=int(pos), a=float(s.x[0]), b=float(s.x[1])))
    return dict(svc=cases, coupling=coupling, sigmoids=sigmoids)

def kmeans():
    """best inertia of 20 starts, and one run from given centers to its end"""
    from sklearn.cluster import KMeans
    cases = []
    for n, f, k, sep in [(200, 4, 3, 4), (300, 8, 6, 2)]:
        x, _ = data(n, f, k, 201, sep)
        best = KMeans(k, n_init=20, random_state=0).fit(x)
        first = x[:k].copy(); one = KMeans(k, init=first, n_init=1, tol=0).fit(x)
        cases.append(dict(n=n, f=f, k=k, sep=sep, inertia=float(best.inertia_), first=r(first, 17), end=r(one.cluster_centers_, 17), from_first=float(one.inertia_), labels=one.labels_.tolist()))
    return cases

def select():
    """folds without shuffling; probabilities judged; a grid search; a tree with several outputs"""
    from sklearn import model_selection as ms, metrics
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.tree import DecisionTreeClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC
    y = np.array([2, 0, 1, 1, 0, 2, 2, 2, 1, 0, 0, 0, 2, 1, 2, 2, 0, 1, 0, 0, 1, 2, 0])
    group = np.array(list("ccabbbbbaacdddddddeeeef"))
    x = np.zeros((len(y), 1))
    out = dict(y=y.tolist(), group=group.tolist(), folds={n: [t.tolist() for _, t in f.split(x, y, group)] for n, f in dict(kfold=ms.KFold(4), stratified=ms.StratifiedKFold(3),
        grouped=ms.GroupKFold(3), leave=ms.LeaveOneGroupOut(), time=ms.TimeSeriesSplit(4)).items()})
    x, y = data(120, 5, 3, 501, 1)
    p = RandomForestClassifier(10, random_state=0).fit(*data(120, 5, 3, 501, 1, start=120)).predict_proba(x)
    out.update(proba=r(p, 17), log_loss=float(metrics.log_loss(y, p)), brier=float(((p - np.eye(3)[y]) ** 2).sum(1).mean()), balanced=float(metrics.balanced_accuracy_score(y[7:], p[7:].argmax(1))))
    g = ms.GridSearchCV(make_pipeline(StandardScaler(), SVC()), dict(svc__C=[0.1, 1, 10], svc__kernel=["linear", "rbf"]), cv=ms.StratifiedKFold(4)).fit(x, y)
    out["grid"] = dict(points=[{k[5:]: str(v) for k, v in q.items()} for q in g.cv_results_["params"]], mean=r(g.cv_results_["mean_test_score"]), best=int(g.best_index_))
    out["multi"] = []
    for crit in ("gini", "entropy"):
        for seed in range(600, 2000, 10):
            x, a = data(200, 4, 4, seed, 2); labels = np.stack([a % 2, a // 2, (a == 3) * 1], 1)
            grow = lambda s: DecisionTreeClassifier(max_depth=4, min_samples_leaf=15, random_state=s, criterion=crit).fit(x, labels)
            m = grow(0)
            if all(np.array_equal(m.tree_.threshold, grow(s).tree_.threshold) for s in range(1, 20)): break   # no ties
        else: raise SystemExit("no data without ties")
        out["multi"].append(dict(criterion=crit, seed=seed, feature=m.tree_.feature.clip(-1).tolist(), threshold=r(np.where(m.tree_.feature < 0, 0, m.tree_.threshold), 17), impurity=r(m.tree_.impurity),
            proba=r(np.stack([q[:, 1] for q in m.predict_proba(x[:20])], 1))))
    return out

ALL = dict(select=select, tree=tree, forest=forest, simple=simple, svm=svm, kmeans=kmeans)
if __name__ == "__main__":
    print("scikit-learn", sklearn.__version__, "numpy", np.__version__, "scipy", scipy.__version__)
    for name in sys.argv[1:] or ALL:
        path = os.path.join(HERE, f"sklearn_{name}.json")
        with open(path, "w") as f: json.dump(dict(versions=f"scikit-learn {sklearn.__version__}, numpy {np.__version__}", cases=ALL[name]()), f, separators=(",", ":")); f.write("\n")
        print(path, os.path.getsize(path))
