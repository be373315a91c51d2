"""Writes golden/*.safetensors: logits, loss and gradients of tsai's networks on PyTorch, in float64.

    python gen_tsai.py            # all cases, some minutes
Made with tsai 1.0.1, torch 2.15.0, fastai 2.8.12, numpy 2.3.5, Python 3.11.7.

Weights and inputs come from a formula (see u), so a file holds outputs only: logits in evaluation and training mode,
the loss, and per gradient its largest absolute value and SAMPLES evenly spaced entries. The input's seed is the one of
SEEDS whose gradients move least in float32 and under noise of float32's size on the weights: elsewhere a ReLU or a pool
may sit on its kink, and two correct float32 programs then disagree.
"""
import json, math, struct, sys
from pathlib import Path
import numpy as np, torch
from tsai.models.FCN import FCN
from tsai.models.ResNet import ResNet
from tsai.models.RNN import LSTM
from tsai.models.InceptionTime import InceptionTime

NETS = {"fcn": FCN, "resnet": ResNet, "lstm": LSTM, "inceptiontime": InceptionTime}
CASES = [(c, n, t) for c in (1, 2) for n, t in ((5, 7), (4, 60), (2, 600), (1, 6000))]
# At 6000 steps some of the millions of activations and maxima always lie within rounding of a kink. These inputs, one row
# each, are the first of 60 on which the gradients of PyTorch's float32 and of three kernel tiers all agree with float64.
STEADY = {("fcn", 1, 6000): 2, ("fcn", 2, 6000): 9, ("resnet", 1, 6000): 4, ("resnet", 2, 6000): 2,
          ("inceptiontime", 1, 600): 0, ("inceptiontime", 1, 6000): 52, ("inceptiontime", 2, 6000): 12}
CLASSES, SAMPLES, SEEDS = 3, 48, 12
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
    # One channel, one tap, then batch norm: the gradient is zero but for eps, and only small weights make it more than noise.
    if shape[1:] == (1, 1): v = v * 0.01
    elif len(shape) == 3: v = v * math.sqrt(6 / (shape[1] * shape[2]))
    elif name.startswith("rnn."): v = v * 0.1
    elif len(shape) == 2: v = v / math.sqrt(shape[1])
    elif name.endswith("running_var"): v = 1 + 0.5 * v
    elif name.endswith("weight"): v = 1 + 0.2 * v
    else: v = 0.2 * v
    return v.astype(np.float32).astype(np.float64).reshape(shape)

def run(net, c, n, t, seed, dtype, noise=0):
    m = NETS[net](c, CLASSES)
    m.load_state_dict({k: torch.zeros((), dtype=torch.int64) if k.endswith("tracked") else torch.from_numpy(weight(k, tuple(v.shape)))
                       for k, v in m.state_dict().items()})
    m = m.to(dtype)
    if noise:
        g = torch.Generator().manual_seed(noise)
        with torch.no_grad():
            for p in m.parameters(): p.mul_(1 + 3e-7 * torch.randn(p.shape, generator=g, dtype=dtype))
    x = torch.from_numpy((1.5 * u(f"x{seed}", n * c * t)).astype(np.float32).reshape(n, c, t)).to(dtype)
    y = torch.arange(n) % CLASSES
    m.eval()
    with torch.no_grad(): ev = m(x)
    m.train()
    tr = m(x)
    loss = torch.nn.functional.cross_entropy(tr, y)
    loss.backward()
    return ev, tr.detach(), loss.detach(), {k: p.grad for k, p in m.named_parameters()}

def spread(a, b):
    """Largest error of a gradient as a share of its own largest value; gradients that are noise do not count."""
    top = max(g.abs().max() for g in b.values())
    return max(float((a[k].double() - b[k]).abs().max() / b[k].abs().max()) for k in b if b[k].abs().max() > 1e-6 * top)

def choose(net, c, n, t):
    """The first steady one of SEEDS inputs, else the steadiest: its spread, its seed and its float64 run."""
    best = None
    for seed in [STEADY[net, c, t]] if (net, c, t) in STEADY else range(SEEDS):
        r = run(net, c, n, t, seed, torch.float64)
        others = [(torch.float32, 0)] + [(torch.float64, k) for k in (1, 2, 3) if t < 6000]
        s = 0
        for o in others:
            s = max(s, spread(run(net, c, n, t, seed, *o)[3], r[3]))
            if best is not None and s > best[0]: break
        if best is None or s < best[0]: best = (s, seed, r)
        if s < (2e-4 if t >= 6000 else 1e-5): break
    return best

def save(path, arrays):
    head, data = {}, b""
    for k, v in arrays.items():
        b = np.ascontiguousarray(v, dtype="<f4").tobytes()
        head[k] = {"dtype": "F32", "shape": list(np.shape(v)), "data_offsets": [len(data), len(data) + len(b)]}
        data += b
    h = json.dumps(head, separators=(",", ":")).encode()
    h += b" " * (-len(h) % 8)
    path.write_bytes(struct.pack("<Q", len(h)) + h + data)

def main():
    torch.set_num_threads(1)
    out = Path(__file__).parent / "golden"
    out.mkdir(exist_ok=True)
    only = sys.argv[1:]
    for net in NETS:
        for c, n, t in CASES:
            if only and net not in only: continue
            s, seed, (ev, tr, loss, grads) = choose(net, c, n, t)
            a = {"n": [n], "t": [t], "c": [c], "seed": [seed], "eval": ev.numpy(), "train": tr.numpy(), "loss": [float(loss)]}
            for k, g in grads.items():
                g = g.numpy().ravel()
                a["max." + k] = [np.abs(g).max()]
                a["grad." + k] = g[np.arange(min(SAMPLES, g.size)) * g.size // min(SAMPLES, g.size)]
            save(out / f"{net}_c{c}_t{t}.safetensors", a)
            print(f"{net} c={c} n={n} t={t}: seed {seed}, moves by {s:.1e}", flush=True)

if __name__ == "__main__":
    main()
