#!/usr/bin/env python3
# scikit-learn 1.7.2, numpy 2.4.6
"""earshot and scikit-learn side by side: fit and predict of every classical model, the study's protocol, MiniRocket.

    go build -o earshot ./cmd/earshot && bench_sklearn.py EARSHOT [--rows 780] [--reps 5] [--only NAME,…] [--protocol] [--threads 2]

The same rows (make_classification, 52 features, 6 classes, standardized) and settings go to both; runs alternate, the best
of each side counts. Wall times are those of fit and predict alone (classify --json); cpu is the processor time of the whole
fit-and-predict, for machines that are not quiet (ours includes starting and reading the tables).
With --protocol EARSHOT is the test binary (go test -c ./train/classical; for mlp, ./train): one trial of the study (80/20, scaling, 3-fold grid,
refit) by its BenchmarkProtocol."""
import argparse, json, os, resource, re, subprocess, sys, tempfile, time, warnings
ap = argparse.ArgumentParser(); ap.add_argument("earshot"); ap.add_argument("--rows", type=int, default=780); ap.add_argument("--reps", type=int, default=5)
ap.add_argument("--only"); ap.add_argument("--protocol", action="store_true"); ap.add_argument("--threads", type=int, default=2); a = ap.parse_args()
for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"): os.environ[v] = "1" if a.protocol else str(a.threads)
warnings.filterwarnings("ignore")
import numpy as np, sklearn
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier as RF, ExtraTreesClassifier as ET
from sklearn.svm import SVC
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier as KNN
from sklearn.tree import DecisionTreeClassifier as Tree
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.cluster import KMeans
from sklearn.neural_network import MLPClassifier as MLP
J, n = a.threads, a.rows
MODELS = [
 ("forest_gini", "forest", dict(n_estimators=400), lambda: RF(400, n_jobs=J)), ("forest_entropy", "forest", dict(n_estimators=400, criterion="entropy"), lambda: RF(400, criterion="entropy", n_jobs=J)),
 ("extratrees", "extratrees", dict(n_estimators=400), lambda: ET(400, n_jobs=J)), ("tree_gini", "tree", {}, Tree), ("tree_entropy", "tree", dict(criterion="entropy"), lambda: Tree(criterion="entropy")),
 ("svm_linear", "svm", dict(kernel="linear"), lambda: SVC(kernel="linear")), ("svm_rbf", "svm", {}, SVC), ("svm_rbf_probability", "svm", dict(probability=True), lambda: SVC(probability=True)),
 ("gnb", "gnb", {}, GaussianNB), ("knn_euclidean", "knn", {}, lambda: KNN(n_jobs=J)), ("knn_manhattan", "knn", dict(metric="manhattan", weights="distance"), lambda: KNN(metric="manhattan", weights="distance", n_jobs=J)),
 ("logistic", "logistic", dict(max_iter=1000), lambda: LogisticRegression(max_iter=1000)), ("ridge", "ridge", {}, RidgeClassifier), ("kmeans", "kmeans", dict(n_clusters=6, n_init=10), lambda: KMeans(6, n_init=10)),
 ("mlp_100", "mlp", {}, MLP), ("mlp_300", "mlp", dict(hidden_layer_sizes=300), lambda: MLP(300)), ("mlp_100_100", "mlp", dict(hidden_layer_sizes="100:100"), lambda: MLP((100, 100))),
]
X, y = make_classification(n_samples=n + n // 5, n_features=52, n_informative=20, n_redundant=10, n_classes=6, n_clusters_per_class=2, class_sep=1.0, random_state=0)
X = (X - X[:n].mean(0)) / X[:n].std(0)
print(f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, {n} rows, {n // 5} asked, {J} threads, load {os.getloadavg()[0]:.1f}")

def models():
    print(f"{'model':20s} {'fit ms: ours':>13s} {'theirs':>9s} {'x':>6s} {'predict ms: ours':>17s} {'theirs':>9s} {'x':>6s} {'cpu ms: ours':>13s} {'theirs':>9s} {'x':>6s}  right: ours, theirs")
    with tempfile.TemporaryDirectory() as d:
        np.savez(d + "/a.npz", X=X[:n], y=y[:n]); np.savez(d + "/b.npz", X=X[n:], y=y[n:])
        for name, model, kw, make in MODELS:
            if a.only and name not in a.only.split(","): continue
            best = [[1e9] * 3, [1e9] * 3]; right = [0, 0]
            for _ in range(a.reps):
                was = resource.getrusage(resource.RUSAGE_CHILDREN)
                cmd = [a.earshot, "classify", "--json", "--force", "--threads", str(J), "--model", model, "--train", d + "/a.npz", "--test", d + "/b.npz", "--out", d + "/p.npz"] + [w for k, v in kw.items() for w in ("--set", f"{k}={v}")]
                o = json.loads(subprocess.run(cmd, check=True, capture_output=True).stdout); now = resource.getrusage(resource.RUSAGE_CHILDREN)
                best[0] = np.minimum(best[0], [o["fit_s"], o["predict_s"], now.ru_utime + now.ru_stime - was.ru_utime - was.ru_stime]); right[0] = o.get("correct", 0)
                m = make(); c, t = time.process_time(), time.perf_counter(); m.fit(X[:n], y[:n]); u = time.perf_counter(); p = m.predict(X[n:]); v = time.perf_counter()
                best[1] = np.minimum(best[1], [u - t, v - u, time.process_time() - c]); right[1] = int((p == y[n:]).sum())
            o, s = best; x = s / o
            print(f"{name:20s} {o[0]*1e3:13.2f} {s[0]*1e3:9.2f} {x[0]:6.2f} {o[1]*1e3:17.2f} {s[1]*1e3:9.2f} {x[1]:6.2f} {o[2]*1e3:13.1f} {s[2]*1e3:9.1f} {x[2]:6.2f}  {right[0]} {right[1] if 'kmeans' != name else 0}", flush=True)

def protocol():
    from sklearn.model_selection import GridSearchCV, StratifiedKFold, StratifiedShuffleSplit
    from sklearn.preprocessing import StandardScaler
    C, p = [.1, .5, 1, 5, 10], 52
    grids = dict(tree=(Tree(), dict(criterion=["gini", "entropy"])), forest=(RF(400), dict(criterion=["gini", "entropy"], max_features=["sqrt", "log2"])), svm_linear=(SVC(kernel="linear"), dict(C=C)),
        svm_rbf=(SVC(), dict(C=C, gamma=[.1 / p, 1 / p, 10 / p, .01, .1, 1])), knn=(KNN(), dict(n_neighbors=[1, 3, 5, 7, 9, 11], weights=["uniform", "distance"], metric=["manhattan", "euclidean"])),
        mlp=(MLP(), dict(hidden_layer_sizes=[(100,), (300,), (100, 100)], activation=["logistic", "relu"])))
    # rows as hard as blobs of bench_test.go, where the Go side draws its own
    rng = np.random.default_rng(1); Y = np.arange(780) % 6; centers = rng.normal(size=(6, 52)) * (np.arange(52) < 26); Z = centers[Y] + 1.5 * rng.normal(size=(780, 52))
    tr, te = next(StratifiedShuffleSplit(1, test_size=.2, random_state=0).split(Z, Y))
    root = os.path.dirname(os.path.abspath(__file__)) + "/.."
    for name, (est, grid) in grids.items():
        if a.only and name not in a.only.split(","): continue
        was = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run([a.earshot, "-test.run", "NONE", "-test.bench", f"Protocol/model={name}/N=780/F=52/", "-test.benchtime", f"{a.reps}x"], cwd=root, check=True, capture_output=True, text=True).stdout
        if "ns/op" not in out: continue   # another package's
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        c, t = time.process_time(), time.perf_counter()
        s = StandardScaler().fit(Z[tr]); GridSearchCV(est, grid, cv=StratifiedKFold(3, shuffle=True, random_state=0)).fit(s.transform(Z[tr]), Y[tr]).score(s.transform(Z[te]), Y[te])
        theirs = time.process_time() - c, time.perf_counter() - t
        wall = float(re.search(r"([\d.]+) ns/op", out)[1]) / 1e9; cpu = (now.ru_utime + now.ru_stime - was.ru_utime - was.ru_stime) / a.reps   # with drawing the rows and starting
        print(f"protocol {name:12s} cpu s a trial: ours {cpu:7.3f}, theirs (one thread) {theirs[0]:7.3f}, x {theirs[0]/cpu:5.2f}; wall: ours {wall:7.3f}, theirs {theirs[1]:7.3f}", flush=True)

protocol() if a.protocol else models()
