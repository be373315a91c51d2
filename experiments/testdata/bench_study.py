#!/usr/bin/env python3
# scikit-learn 1.7.2, numpy 2.3.5
"""The smart-speaker study's protocol, EC-40, on real captures: earshot and scikit-learn, seconds a trial.

    bench_study.py EARSHOT DS [--label type6] [--trials 25] [--threads 2]

DS is a data set with the axes of the study. Both sides fit six models with their grids (3-fold, refit) on the same kind of table, the
combined features, and predict the rest: earshot by `run requests` with reading the captures, features, audit, report and the splits of
whole commands left out (--splits stratified), scikit-learn by GridSearchCV(n_jobs=threads) on the table of `features`."""
import argparse, os, resource, shutil, subprocess, tempfile, time, warnings
ap = argparse.ArgumentParser(); ap.add_argument("earshot"); ap.add_argument("ds"); ap.add_argument("--label", default="type6")
ap.add_argument("--trials", type=int, default=25); ap.add_argument("--threads", type=int, default=2); a = ap.parse_args()
for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"): os.environ[v] = "1"
os.environ["PYTHONWARNINGS"] = "ignore"; warnings.filterwarnings("ignore")
import numpy as np, pandas as pd, sklearn
from sklearn.ensemble import RandomForestClassifier as RF
from sklearn.model_selection import GridSearchCV, StratifiedKFold, StratifiedShuffleSplit
from sklearn.neighbors import KNeighborsClassifier as KNN
from sklearn.neural_network import MLPClassifier as MLP
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier as Tree
d = tempfile.mkdtemp()

def cpu():
    me, kids = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return me.ru_utime + me.ru_stime + kids.ru_utime + kids.ru_stime

c, t = cpu(), time.perf_counter()
subprocess.run([a.earshot, "run", "requests", "--data", a.ds, "--label", a.label, "--protocol", "study", "--splits", f"stratified:{a.trials}", "--sets", "combined", "--bins", "none",
                "--ablations=false", "--nets", "none", "--controls", "none", "--threads", str(a.threads), "--out", d + "/run"], check=True, capture_output=True)
ours = (cpu() - c) / a.trials, (time.perf_counter() - t) / a.trials
subprocess.run([a.earshot, "features", "tcptrace22,histogram", a.ds, "--out", d + "/F.csv"], check=True, capture_output=True)
F = pd.read_csv(d + "/F.csv"); y = F["label_" + a.label] if "label_" + a.label in F else F[a.label]
X = F.select_dtypes("number").drop(columns=[k for k in F if k == "capture_id" or k.startswith("label_")], errors="ignore").fillna(0).to_numpy()
keep = y.notna().to_numpy(); X, y = X[keep], y[keep].to_numpy(); C, p = [.1, .5, 1, 5, 10], X.shape[1]
grids = dict(tree=(Tree(), dict(criterion=["gini", "entropy"])), forest=(RF(400), dict(criterion=["gini", "entropy"], max_features=["sqrt", "log2"])), svm_linear=(SVC(kernel="linear"), dict(C=C)),
    svm_rbf=(SVC(), dict(C=C, gamma=[.1 / p, 1 / p, 10 / p, .01, .1, 1])), mlp=(MLP(), dict(hidden_layer_sizes=[(100,), (300,), (100, 100)], activation=["logistic", "relu"])),
    knn=(KNN(), dict(n_neighbors=[1, 3, 5, 7, 9, 11], weights=["uniform", "distance"], metric=["manhattan", "euclidean"])))
tr, te = next(StratifiedShuffleSplit(1, test_size=.2, random_state=0).split(X, y)); s = StandardScaler().fit(X[tr]); sums = np.zeros(2)
from joblib.externals.loky import get_reusable_executor
for name, (est, grid) in grids.items():
    c, t = cpu(), time.perf_counter()
    right = GridSearchCV(est, grid, cv=StratifiedKFold(3, shuffle=True, random_state=0), n_jobs=a.threads).fit(s.transform(X[tr]), y[tr]).score(s.transform(X[te]), y[te])
    wall = time.perf_counter() - t; get_reusable_executor().shutdown(wait=True)  # so that its processes' time counts
    sums += cpu() - c, wall; print(f"scikit-learn {name:10s} {cpu() - c:7.2f} s cpu {wall:7.2f} s wall, {100 * right:.1f} % right", flush=True)
print(f"scikit-learn {sklearn.__version__}, {X.shape[0]} x {X.shape[1]}, one trial of six models: {sums[0]:.2f} s cpu, {sums[1]:.2f} s wall; earshot, mean of {a.trials}: {ours[0]:.2f} s cpu, {ours[1]:.2f} s wall; x {sums[0] / ours[0]:.1f} and {sums[1] / ours[1]:.1f}")
shutil.rmtree(d)
