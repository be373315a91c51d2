#!/usr/bin/env python3
# aeon 1.6.0, scikit-learn 1.7.2, numba 0.63.1, numpy 2.3.5
"""MiniRocket and MultiRocket with ridge: earshot and aeon side by side.

    go test -c -o classical.test ./train/classical && bench_aeon.py speed classical.test [--series 1000] [--multi 100] [--reps 3]
    go build -o earshot ./cmd/earshot && bench_aeon.py accuracy earshot UCR [--seeds 5]

speed: series of 6,000 steps, two threads, numba compiled before. Runs alternate and the best of each side counts; cpu is
processor time, for machines that are not quiet, of ours the difference between three runs and one. Of MultiRocket aeon
transforms only --multi series and the time is multiplied.
accuracy: official splits below UCR (*/NAME/NAME_TRAIN.ts or .tsv), mean and deviation over seeds."""
import argparse, glob, json, os, re, resource, subprocess, sys, tempfile, time, warnings
ap = argparse.ArgumentParser(); ap.add_argument("what", choices=["speed", "accuracy"]); ap.add_argument("program"); ap.add_argument("ucr", nargs="?")
ap.add_argument("--series", type=int, default=1000); ap.add_argument("--multi", type=int, default=100); ap.add_argument("--reps", type=int, default=3); ap.add_argument("--seeds", type=int, default=5)
ap.add_argument("--only"); a = ap.parse_args(); warnings.filterwarnings("ignore")
for v in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"): os.environ[v] = "2"
import numpy as np, aeon, sklearn, numba
from aeon.transformations.collection.convolution_based import MiniRocket, MultiRocket
from sklearn.linear_model import RidgeClassifierCV
from sklearn.preprocessing import StandardScaler
from sklearn.pipeline import make_pipeline
print(f"aeon {aeon.__version__}, scikit-learn {sklearn.__version__}, numba {numba.__version__}, load {os.getloadavg()[0]:.1f}", flush=True)
ridge = lambda: make_pipeline(StandardScaler(with_mean=False), RidgeClassifierCV(alphas=np.logspace(-3, 3, 10)))
KINDS = dict(minirocket=MiniRocket, multirocket=MultiRocket)

def clock(f):
    c, t = time.process_time(), time.perf_counter(); r = f()
    return np.array([time.perf_counter() - t, time.process_time() - c]), r

def ours(name, op):
    def child(times):
        was = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = subprocess.run([a.program, "-test.run", "NONE", "-test.bench", f"^BenchmarkRocket$/^model={name}$/^op={op}$/^N={a.series}$", "-test.benchtime", f"{times}x", "-test.cpu", "2"], check=True, capture_output=True, text=True).stdout
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        return float(re.search(r"([\d.]+) ns/op", out)[1]) / 1e9, now.ru_utime + now.ru_stime - was.ru_utime - was.ru_stime
    one, three = child(1), child(3)
    return np.array([min(one[0], three[0]), (three[1] - one[1]) / 2])

def speed():
    rng = np.random.default_rng(0); n = a.series; y = np.arange(n) % 3
    X = rng.normal(size=(n, 1, 6000)).astype(np.float32) + .2 * np.sin(np.arange(6000) * (y[:, None, None] + 3) / 40).astype(np.float32)
    print(f"{n} x 6000: s {'ours: wall':>22s} {'cpu':>7s} {'aeon: wall':>11s} {'cpu':>7s} {'ratio: wall':>12s} {'cpu':>7s}")
    for name, kind in KINDS.items():
        if a.only and name != a.only: continue
        kind(n_jobs=2, random_state=0).fit(X[:2]).transform(X[:2])   # compile
        part = n if name == "minirocket" else min(n, a.multi); best = {}
        def keep(side, op, v): best[side, op] = np.minimum(best.get((side, op), np.inf), v)
        for _ in range(a.reps):
            m = kind(n_jobs=2, random_state=0)
            keep("aeon", "fit", clock(lambda: m.fit(X))[0]); keep("ours", "fit", ours(name, "fit"))
            v, F = clock(lambda: m.transform(X[:part])); keep("aeon", "transform", v * n / part); keep("ours", "transform", ours(name, "transform"))
            if part < n: F = rng.random((n, F.shape[1]), dtype=np.float32)
            keep("aeon", "ridge", clock(lambda: ridge().fit(F, y))[0]); keep("ours", "ridge", ours(name, "ridge")); del F
        for op in ("fit", "transform", "fit+transform", "ridge"):
            o, s = [best[side, op] if op in ("fit", "transform", "ridge") else best[side, "fit"] + best[side, "transform"] for side in ("ours", "aeon")]
            print(f"{name:12s} {op:14s} {o[0]:9.2f} {o[1]:7.2f} {s[0]:11.2f} {s[1]:7.2f} {s[0]/o[0]:12.2f} {s[1]/o[1]:7.2f}", flush=True)
    print(f"peak of aeon's process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB")

def load(name):
    from aeon.datasets import load_from_ts_file
    for s in ("TRAIN", "TEST"):
        g = sorted((p for p in glob.glob(f"{a.ucr}/*/{name}/{name}_{s}*") if p.rsplit("_", 1)[1] in (s, s + ".ts", s + ".tsv")), key=lambda p: not p.endswith(".ts"))
        if g[0].endswith(".ts"): yield load_from_ts_file(g[0]); continue
        d = np.array([[float(v) for v in l.replace(",", " ").split()] for l in open(g[0]) if l.strip()]); yield d[:, 1:][:, None], d[:, 0].astype(int)

def accuracy():
    for set_ in sorted({os.path.basename(d) for d in glob.glob(a.ucr + "/*/*") if os.path.isdir(d)}):
        try: (Xa, ya), (Xb, yb) = load(set_); Xa, Xb = np.asarray(Xa, np.float32), np.asarray(Xb, np.float32)
        except (ValueError, IndexError): print(f"{set_:18s} skipped (unequal lengths or no table)", flush=True); continue
        with tempfile.TemporaryDirectory() as d:
            np.savez(d + "/a.npz", X=Xa, y=ya); np.savez(d + "/b.npz", X=Xb, y=yb)
            for name, kind in KINDS.items():
                if a.only and name != a.only: continue
                got = [[], []]
                for seed in range(a.seeds):
                    o = subprocess.run([a.program, "classify", "--json", "--force", "--threads", "2", "--seed", str(seed), "--model", name, "--train", d + "/a.npz", "--test", d + "/b.npz", "--out", d + "/p.npz"], check=True, capture_output=True).stdout
                    got[0].append(100 * json.loads(o)["accuracy"]); m = kind(n_jobs=2, random_state=seed)
                    got[1].append(100 * (ridge().fit(np.asarray(m.fit_transform(Xa)), ya).predict(np.asarray(m.transform(Xb))) == yb).mean())
                print(f"{set_:18s} {name:12s} train {Xa.shape} test {Xb.shape}  ours {np.mean(got[0]):6.2f} ({np.std(got[0]):.2f})  aeon {np.mean(got[1]):6.2f} ({np.std(got[1]):.2f})", flush=True)

accuracy() if a.what == "accuracy" else speed()
