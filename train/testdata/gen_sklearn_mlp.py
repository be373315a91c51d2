# scikit-learn 1.7.2, numpy 2.3.5
"""Writes sklearn_mlp.json beside this file: what MLPClassifier makes of data and first weights that formulas give (data and
uniform below; formula and uniform in the tests), rows in order.   usage: gen_sklearn_mlp.py

drift is how far scikit-learn's own loss curve moves when it computes in single precision."""
import json, os, warnings
import numpy as np, sklearn
from sklearn.neural_network import MLPClassifier, _multilayer_perceptron as module
warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))

def mix(v):
    """splitmix64's finalizer"""
    v = v.astype(np.uint64)
    v = (v ^ (v >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    v = (v ^ (v >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return v ^ (v >> np.uint64(31))

def uniform(name, size):
    """size values in [-1, 1), by the name"""
    h = 0xcbf29ce484222325
    for b in name.encode(): h = ((h ^ b) * 0x100000001b3) & (2**64 - 1)
    z = np.uint64(h) + np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mix(z) >> np.uint64(40)).astype(float) / 2**23 - 1

def data(n, f, k, sep, name):
    """n rows, f features, k classes in turn; sep times the class's offset in the first half of the features"""
    y = np.arange(n) % k
    x = (uniform(name + " a", n * f) + uniform(name + " b", n * f)).reshape(n, f)
    offset = uniform(name + " c", k * f).reshape(k, f) * (np.arange(f) < (f + 1) // 2)
    return (x + sep * offset[y]).astype(np.float32), y

class Formula(MLPClassifier):
    """starts from uniform(), within the bound of _init_coef"""
    def _init_coef(self, fan_in, fan_out, dtype):
        i = self.layer; self.layer += 1
        bound = np.sqrt((2.0 if self.activation == "logistic" else 6.0) / (fan_in + fan_out))
        draw = lambda what, shape: (bound * uniform(f"{what} {i}", int(np.prod(shape))).reshape(shape)).astype(np.float32).astype(dtype)
        return draw("coefs", (fan_in, fan_out)), draw("intercepts", (fan_out,))

def fit(x, y, held, kw):
    m = Formula(shuffle=False, **kw); m.layer = 0
    if held: module.train_test_split = lambda a, b, **_: (a[held:], a[:held], b[held:], b[:held])
    return m.fit(x, y)

def r(a, digits=9): return json.loads(json.dumps(np.asarray(a, float).tolist()), parse_float=lambda s: float(f"%.{digits}g" % float(s)))

cases = []
for name, n, f, k, sep, held, kw in [
    ("one batch", 150, 10, 3, 0.7, 0, dict(hidden_layer_sizes=(16,))),
    ("incomplete batch", 230, 12, 4, 0.7, 0, dict(hidden_layer_sizes=(20, 10), alpha=0.01, max_iter=120)),
    ("logistic", 150, 10, 3, 0.7, 0, dict(hidden_layer_sizes=(15,), activation="logistic", batch_size=32, learning_rate_init=0.01, max_iter=100)),
    ("tanh", 150, 9, 5, 1, 0, dict(hidden_layer_sizes=(12, 8, 5), activation="tanh", batch_size=64, alpha=0.1, max_iter=150)),
    ("identity", 100, 7, 3, 0.7, 0, dict(hidden_layer_sizes=(6,), activation="identity", batch_size=1000, learning_rate_init=0.01, max_iter=150)),
    ("no hidden layer", 100, 7, 3, 0.7, 0, dict(hidden_layer_sizes=(), batch_size=25, max_iter=100)),
    ("two classes", 120, 8, 2, 0.5, 0, dict(hidden_layer_sizes=(10,), batch_size=50, beta_1=0.8, beta_2=0.99, epsilon=1e-6, max_iter=150)),
    ("study", 500, 52, 6, 0.35, 0, dict(hidden_layer_sizes=(100,), max_iter=40)),
    ("study, logistic", 500, 52, 6, 0.35, 0, dict(hidden_layer_sizes=(100, 100), activation="logistic", max_iter=40)),
    ("stops", 150, 10, 3, 1.5, 0, dict(hidden_layer_sizes=(16,), batch_size=50, learning_rate_init=0.03, tol=1e-3, n_iter_no_change=5)),
    ("stops at once", 60, 5, 3, 1, 0, dict(hidden_layer_sizes=(4,), tol=10.0, n_iter_no_change=3)),
    ("early stopping", 160, 10, 3, 1, 30, dict(hidden_layer_sizes=(16,), batch_size=40, learning_rate_init=0.01, early_stopping=True)),
    ("early stopping, two classes", 160, 10, 2, 0.7, 30, dict(hidden_layer_sizes=(12,), batch_size=40, learning_rate_init=0.01, early_stopping=True, n_iter_no_change=4)),
]:
    x, y = data(n, f, k, sep, name)
    xt, _ = data(20, f, k, sep, name + " test")
    m = fit(x.astype(float), y, held, kw); single = fit(x, y, held, kw)
    e = min(m.n_iter_, single.n_iter_); a, b = np.array(m.loss_curve_[:e]), np.array(single.loss_curve_[:e])
    p = m.predict_proba(xt.astype(float))
    c = dict(name=name, n=n, f=f, k=k, sep=sep, held=held, settings={a: ":".join(map(str, b)) if isinstance(b, tuple) else str(b) for a, b in kw.items()},
        loss=r(m.loss_curve_), proba=r(p, 7), pred=m.predict(xt).tolist(), drift=float(f"{np.max(np.abs(a - b) / a):.2g}"))
    if held: c["scores"] = r(m.validation_scores_)
    if f < 20: c["coefs"] = [r(w, 7) for w in m.coefs_]; c["intercepts"] = [r(b, 7) for b in m.intercepts_]
    print(f"{name:28s} {m.n_iter_:4d} epochs (single precision {single.n_iter_}), loss {m.loss_curve_[0]:.4f} .. {m.loss_curve_[-1]:.4f}, drift {c['drift']:.1e}, proba {np.abs(p - single.predict_proba(xt)).max():.1e}, margin {np.min(np.abs(np.diff(np.sort(p, 1)[:, -2:]))):.3f}")
    cases.append(c)
path = os.path.join(HERE, "sklearn_mlp.json")
with open(path, "w") as o: json.dump(dict(versions=f"scikit-learn {sklearn.__version__}, numpy {np.__version__}", cases=cases), o, separators=(",", ":")); o.write("\n")
print(path, os.path.getsize(path), sklearn.__version__, np.__version__)
