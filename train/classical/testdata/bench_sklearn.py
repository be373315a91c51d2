#!/usr/bin/env python3
# scikit-learn 1.7.2, numpy 2.4.6
"""earshot and scikit-learn side by side: fit and predict of every classical model, the study's protocol.

    go build -o earshot ./cmd/earshot && bench_sklearn.py EARSHOT [--rows 780] [--trees 400] [--reps 5] [--only NAME,…] [--threads 2]
    go test -c -o test ./train/classical && go test -c -o mlp ./train && bench_sklearn.py ./test --mlp-test ./mlp --protocol [--reps 5] [--only NAME,…]

Models: the same rows (make_classification, 52 features, 6 classes, standardized) and settings go to both; runs alternate, each
in a process of its own, scikit-learn's after a warm-up; the best of each side counts. Wall times are those of fit and predict
alone (classify --json). cpu is the processor time and MB the peak memory of a whole process (ours includes starting and reading
the tables, theirs neither). Support vector machines get 10,000 rows at most, forests 100 trees from 20,000 rows on.

Protocol: one trial of the study (80/20, scaling, 3-fold grid, refit) by BenchmarkProtocol against GridSearchCV in one thread. With
--mlp-test the test binary of ./train adds the perceptron to the sum."""
import argparse, json, os, re, resource, subprocess, sys, tempfile, time, warnings
ap = argparse.ArgumentParser(); ap.add_argument("earshot"); ap.add_argument("--rows", type=int, default=780); ap.add_argument("--trees", type=int); ap.add_argument("--reps", type=int, default=5)
ap.add_argument("--only"); ap.add_argument("--mlp-test"); ap.add_argument("--protocol", action="store_true"); ap.add_argument("--threads", type=int, default=2); a = ap.parse_args()
for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"): os.environ[v] = "1" if a.protocol else str(a.threads)
warnings.filterwarnings("ignore")
# A process inherits the peak memory of the one that starts it: programs are started by one that stays small.
asks, answers = os.pipe(), os.pipe()
if os.fork() == 0:
    os.close(asks[1]); os.close(answers[0])
    for line in os.fdopen(asks[0]):
        p = subprocess.Popen(json.loads(line), stdout=subprocess.PIPE); out = p.stdout.read().decode(); _, status, u = os.wait4(p.pid, 0)
        os.write(answers[1], (json.dumps([status, out, u.ru_utime + u.ru_stime, u.ru_maxrss / 1024]) + "\n").encode())
    os._exit(0)
os.close(asks[0]); os.close(answers[1]); answers = os.fdopen(answers[0])
def start(cmd):
    os.write(asks[1], (json.dumps(cmd) + "\n").encode()); status, out, cpu, peak = json.loads(answers.readline())
    if status: sys.exit(f"{' '.join(cmd)} failed")
    return out, cpu, peak
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
J, n, a.earshot = a.threads, a.rows, os.path.abspath(a.earshot)
T = a.trees or (400 if n < 20000 else 100)
MODELS = [
 ("forest_gini", "forest", dict(n_estimators=T), lambda: RF(T, n_jobs=J)), ("forest_entropy", "forest", dict(n_estimators=T, criterion="entropy"), lambda: RF(T, criterion="entropy", n_jobs=J)),
 ("extratrees", "extratrees", dict(n_estimators=T), lambda: ET(T, n_jobs=J)), ("tree_gini", "tree", {}, Tree), ("tree_entropy", "tree", dict(criterion="entropy"), lambda: Tree(criterion="entropy")),
 ("svm_linear", "svm", dict(kernel="linear"), lambda: SVC(kernel="linear")), ("svm_rbf", "svm", {}, SVC), ("svm_rbf_probability", "svm", dict(probability=True), lambda: SVC(probability=True)),
 ("gnb", "gnb", {}, GaussianNB), ("knn_euclidean", "knn", {}, lambda: KNN(n_jobs=J)), ("knn_manhattan", "knn", dict(metric="manhattan", weights="distance"), lambda: KNN(metric="manhattan", weights="distance", n_jobs=J)),
 ("logistic", "logistic", dict(max_iter=1000), lambda: LogisticRegression(max_iter=1000)), ("ridge", "ridge", {}, RidgeClassifier), ("kmeans", "kmeans", dict(n_clusters=6, n_init=10), lambda: KMeans(6, n_init=10)), ("kmeans_elkan", "kmeans", dict(n_clusters=6, n_init=10), lambda: KMeans(6, n_init=10, algorithm="elkan")),
 ("mlp_100", "mlp", {}, MLP), ("mlp_300", "mlp", dict(hidden_layer_sizes=300), lambda: MLP(300)), ("mlp_100_100", "mlp", dict(hidden_layer_sizes="100:100"), lambda: MLP((100, 100))),
]
print(f"scikit-learn {sklearn.__version__}, numpy {np.__version__}, {'780' if a.protocol else n} rows, {J} threads, load {os.getloadavg()[0]:.1f}", flush=True)

def data(n):
    X, y = make_classification(n_samples=n + n // 5, n_features=52, n_informative=20, n_redundant=10, n_classes=6, n_clusters_per_class=2, class_sep=1.0, random_state=0)
    return (X - X[:n].mean(0)) / X[:n].std(0), y

def ours(model, kw, d, n):
    cmd = [a.earshot, "classify", "--json", "--force", "--threads", str(J), "--model", model, "--train", f"{d}/a{n}.npz", "--test", f"{d}/b{n}.npz", "--out", d + "/p.npz"] + [w for k, v in kw.items() for w in ("--set", f"{k}={v}")]
    out, cpu, peak = start(cmd); o = json.loads(out)
    return o["fit_s"], o["predict_s"], cpu, peak, o.get("correct", 0)

def theirs(make, X, y, n):
    r, w = os.pipe(); pid = os.fork()
    if pid == 0:
        make().fit(X[:780], y[:780]).predict(X[n:n + 156])
        m = make(); c, t = time.process_time(), time.perf_counter(); m.fit(X[:n], y[:n]); u = time.perf_counter(); p = m.predict(X[n:]); v = time.perf_counter()
        os.write(w, json.dumps([u - t, v - u, time.process_time() - c, int((p == y[n:]).sum())]).encode()); os._exit(0)
    os.close(w); _, status, u = os.wait4(pid, 0); out = os.read(r, 1000); os.close(r)
    if status: sys.exit("scikit-learn failed")
    fit, predict, cpu, right = json.loads(out)
    return fit, predict, cpu, u.ru_maxrss / 1024, right

def models():
    print(f"{'model':20s} {'rows':>6s} {'fit ms: ours':>13s} {'theirs':>9s} {'x':>6s} {'predict ms: ours':>17s} {'theirs':>9s} {'x':>6s} {'cpu ms: ours':>13s} {'theirs':>9s} {'x':>6s} {'MB: ours':>9s} {'theirs':>6s}  right: ours, theirs")
    with tempfile.TemporaryDirectory() as d:
        sets = {}
        for name, model, kw, make in MODELS:
            if a.only and name not in a.only.split(","): continue
            rows = min(n, 10000) if model == "svm" else n
            if rows not in sets:
                X, y = sets[rows] = data(rows)
                np.savez(f"{d}/a{rows}.npz", X=X[:rows], y=y[:rows]); np.savez(f"{d}/b{rows}.npz", X=X[rows:], y=y[rows:])
            X, y = sets[rows]; best = [[1e9] * 4, [1e9] * 4]
            for _ in range(a.reps):
                for side, run in enumerate((ours(model, kw, d, rows), theirs(make, X, y, rows))):
                    best[side] = [*np.minimum(best[side][:4], run[:4]), run[4]]
            o, s = best; x = [s[i] / o[i] for i in range(4)]
            print(f"{name:20s} {rows:6d} {o[0]*1e3:13.2f} {s[0]*1e3:9.2f} {x[0]:6.2f} {o[1]*1e3:17.2f} {s[1]*1e3:9.2f} {x[1]:6.2f} {o[2]*1e3:13.1f} {s[2]*1e3:9.1f} {x[2]:6.2f} {o[3]:9.0f} {s[3]:6.0f}  {o[4]} {s[4] if model != 'kmeans' else 0}", flush=True)

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
    total = np.zeros(2), []
    root = os.path.dirname(os.path.abspath(__file__)) + "/.."
    for name, (est, grid) in grids.items():
        test, pattern = (os.path.abspath(a.mlp_test), "Protocol/model=mlp/N=780/F=52/") if name == "mlp" and a.mlp_test else (a.earshot, f"Protocol/model={name}/")
        if a.only and name not in a.only.split(",") or name == "mlp" and not a.mlp_test: continue
        was = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run([test, "-test.run", "NONE", "-test.bench", pattern, "-test.benchtime", f"{a.reps}x"], cwd=root, check=True, capture_output=True, text=True).stdout
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        c, t = time.process_time(), time.perf_counter()
        s = StandardScaler().fit(Z[tr]); GridSearchCV(est, grid, cv=StratifiedKFold(3, shuffle=True, random_state=0)).fit(s.transform(Z[tr]), Y[tr]).score(s.transform(Z[te]), Y[te])
        theirs = time.process_time() - c, time.perf_counter() - t
        wall = float(re.search(r"([\d.]+) ns/op", out)[1]) / 1e9; cpu = (now.ru_utime + now.ru_stime - was.ru_utime - was.ru_stime) / a.reps   # with drawing the rows and starting
        print(f"protocol {name:12s} cpu s a trial: ours {cpu:7.3f}, theirs (one thread) {theirs[0]:7.3f}, x {theirs[0]/cpu:5.2f}; wall: ours {wall:7.3f}, theirs {theirs[1]:7.3f}", flush=True)
        total[0][:] += cpu, theirs[0]; total[1].append(name)
    print(f"protocol sum          cpu s a trial: ours {total[0][0]:7.3f}, theirs (one thread) {total[0][1]:7.3f}, x {total[0][1]/total[0][0]:5.2f}; over {', '.join(total[1])}")

protocol() if a.protocol else models()
