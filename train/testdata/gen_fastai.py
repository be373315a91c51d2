"""Writes fastai.json: loss, rate and momentum of fastai's fit_one_cycle on fixed batches, and its lr_find. Made with fastai 2.8.12, tsai 1.0.1, torch 2.15.0, numpy 2.3.5, Python 3.11.7.

    python gen_fastai.py          # a minute or more

Weights and inputs come from a formula (u, weight), so that the file holds outputs only. Batch s holds
the rows (5 s + j) mod 24 for j = 0 ... 7. Cases: each network over one epoch of 30 batches; fcn again over 3 epochs of 10
(fastai counts its position afresh at each epoch); lr_find on fcn. Arithmetic is float64. The input's seed is the one of
SEEDS whose losses move least in float32 and when every weight is moved by up to 2e-7 of itself: near the kink of a ReLU or a
pool two correct programs part ways.
"""
import json, math, warnings
from pathlib import Path
warnings.filterwarnings("ignore")
import numpy as np, torch
from tsai.models.FCN import FCN
from tsai.models.InceptionTime import InceptionTime
from tsai.models.ResNet import ResNet
from tsai.models.RNN import LSTM
from fastai.callback.core import Callback
import fastai.callback.schedule
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.learner import Learner
from fastai.optimizer import Adam

N, C, T, K, BATCH, SEEDS = 24, 1, 16, 3, 8, 24

NETS = {"fcn": FCN, "resnet": ResNet, "lstm": LSTM, "inceptiontime": InceptionTime}
M = (1 << 64) - 1

def u(name, size):
    """size values in [-1, 1), multiples of 2^-23: splitmix64 of FNV-1a(name) + index."""
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = ((h ^ b) * 0x100000001B3) & M
    z = np.uint64(h) + np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / (1 << 23) - 1

def weight(name, shape):
    v = u(name, int(np.prod(shape, dtype=np.int64)))
    if len(shape) == 3: v = v * math.sqrt(6 / (shape[1] * shape[2]))
    elif name.startswith("rnn."): v = v * 0.1
    elif len(shape) == 2: v = v / math.sqrt(shape[1])
    elif name.endswith("running_var"): v = 1 + 0.5 * v
    elif name.endswith("weight"): v = 1 + 0.2 * v
    else: v = 0.2 * v
    return v.astype(np.float32).astype(np.float64).reshape(shape)

def learner(net, batches, dtype, seed=0, jitter=None):
    m = NETS[net](C, K)
    m.load_state_dict({k: torch.zeros((), dtype=torch.int64) if k.endswith("tracked") else torch.from_numpy(weight(k, tuple(v.shape)))
                       for k, v in m.state_dict().items()})
    if jitter is not None: # what rounding elsewhere might do
        with torch.no_grad():
            for k, p in m.named_parameters(): p.mul_(1 + 2e-7 * torch.from_numpy(u(f"{k}{jitter}", p.numel()).astype(np.float32)).reshape(p.shape))
    x = torch.from_numpy((1.5 * u(f"x{seed}", N * C * T)).astype(np.float32).reshape(N, C, T)).to(dtype)
    y = torch.arange(N) * 7 // 5 % K
    rows = [(5 * s + j) % N for s in range(batches) for j in range(BATCH)]
    dl = DataLoader([(x[r], y[r]) for r in rows], bs=BATCH, shuffle=False, drop_last=True, num_workers=0)
    # The recorder averages losses in float32; the gradient passes in the type of the weights.
    return Learner(DataLoaders(dl, []), m.to(dtype), loss_func=lambda p, t: torch.nn.functional.cross_entropy(p, t).float(), opt_func=Adam, path="/tmp")

class Curve(Callback):
    "What each batch saw."
    order = 70
    def before_fit(self): self.out = dict(loss=[], lr=[], momentum=[])
    def after_batch(self):
        self.out["loss"].append(float(self.loss))
        self.out["lr"].append(float(self.opt.hypers[-1]["lr"]))
        self.out["momentum"].append(float(self.opt.hypers[-1]["mom"]))

def fit(net, epochs, batches, dtype, seed, jitter=None):
    l, c = learner(net, batches, dtype, seed, jitter), Curve()
    with l.no_logging(), l.no_bar(): l.fit_one_cycle(epochs, 1e-3, cbs=c)
    return c.out

def find(dtype):
    l = learner("fcn", 30, dtype)
    with l.no_logging(), l.no_bar(): s = l.lr_find(show_plot=False)
    return dict(suggestion=s.valley, lr=[float(v) for v in l.recorder.lrs], smooth=[float(v) for v in l.recorder.losses])

def main():
    torch.set_num_threads(1)
    cases = {f"{net} 1x30": (net, 1, 30) for net in NETS} | {"fcn 3x10": ("fcn", 3, 10)}
    out = {}
    for name, case in cases.items():
        best = None
        for seed in range(SEEDS):
            r, d = fit(*case, torch.float64, seed), 0
            for dtype, jitter in ((torch.float32, None), *((torch.float64, j) for j in range(1, 6)), (torch.float32, 6)):
                if best is None or d < best[0]: # else another seed has won already
                    d = max([d] + [abs(a - b) / abs(b) for a, b in zip(fit(*case, dtype, seed, jitter)["loss"], r["loss"])])
            if best is None or d < best[0]: best = d, seed, r
            if best[0] < 1e-6: break
        d, seed, out[name] = best
        out[name]["seed"] = seed
        print(f"{name}: seed {seed}, loss {out[name]['loss'][0]:.4f} to {out[name]['loss'][-1]:.4f}; others differ by {d:.1e}", flush=True)
    out["lr_find"] = find(torch.float64)
    print("lr_find", out["lr_find"]["suggestion"], len(out["lr_find"]["lr"]), "float32", find(torch.float32)["suggestion"])
    (Path(__file__).parent / "fastai.json").write_text(json.dumps(out, indent=0) + "\n")

if __name__ == "__main__":
    main()
