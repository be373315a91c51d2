"""Compares `earshot net fit-steps` with fastai over 30 fixed batches, from fresh weights. Run with fastai 2.8.12, tsai 1.0.1, torch 2.15.0, numpy 2.3.5, Python 3.11.7.

    go build -o /tmp/earshot ./cmd/earshot && python train/testdata/parity_fastai.py /tmp/earshot [STEPS]

Prints for each network the largest relative difference of loss, rate and momentum between earshot and fastai in float32,
and that between fastai in float32 and in float64: what two correct programs differ by. Exit status 1 when earshot's is
above 1e-3 and above three times fastai's own.
"""
import json, subprocess, sys, tempfile
from pathlib import Path
import numpy as np, torch
sys.path.insert(0, str(Path(__file__).parent))
from gen_fastai import Curve, DataLoader, DataLoaders, Learner, NETS, Adam
from read_model import safetensors

N, C, K, BATCH, STEPS, LR = 64, 1, 3, 16, 30, 1e-3

def main():
    exe, t = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 600
    torch.set_num_threads(1)
    rng, bad = np.random.default_rng(0), 0
    y = np.arange(N) % K
    x = rng.normal(0, 1, (N, C, t)).astype("f4") + np.sin(np.arange(t) / (3 + y[:, None, None]), dtype="f4")
    batches = np.stack([rng.permutation(N)[:BATCH] for _ in range(STEPS)])
    for net in NETS:
        with tempfile.TemporaryDirectory() as d:
            d = Path(d)
            for name, v in (("x", x), ("y", y), ("b", batches)): np.save(d / f"{name}.npy", v)
            call = lambda *a: subprocess.run([exe, *map(str, a)], check=True, capture_output=True, text=True).stdout
            call("net", "init", "--net", net, "--channels", C, "--steps", t, "--classes", K, "--out", d / "w.safetensors")
            ours = json.loads(call("net", "fit-steps", "--net", net, "--classes", K, "--weights", d / "w.safetensors", "--input", d / "x.npy",
                                   "--target", d / "y.npy", "--batches", d / "b.npy", "--lr", LR, "--out", d / "w2.safetensors"))
            w = safetensors(d / "w.safetensors")
        def fastai(dtype):
            m = NETS[net](C, K)
            m.load_state_dict(w)
            X = torch.from_numpy(x).to(dtype)
            dl = DataLoader([(X[i], torch.tensor(y[i])) for i in batches.ravel()], bs=BATCH, shuffle=False, drop_last=True, num_workers=0)
            l = Learner(DataLoaders(dl, []), m.to(dtype), loss_func=lambda p, t: torch.nn.functional.cross_entropy(p, t).float(), opt_func=Adam, path="/tmp")
            c = Curve()
            with l.no_logging(), l.no_bar(): l.fit_one_cycle(1, LR, cbs=c)
            return c.out
        f32, f64 = fastai(torch.float32), fastai(torch.float64)
        far = lambda a, b, k: max(abs(p - q) / abs(q) for p, q in zip(a[k], b[k], strict=True))
        e, own = far(ours, f32, "loss"), far(f32, f64, "loss")
        rest = max(far(ours, f32, "lr"), far(ours, f32, "momentum"))
        over = e > max(1e-3, 3 * own) or rest > 1e-3
        bad += over
        print(f"{net:13} T={t}  loss {f32['loss'][0]:.4f} to {f32['loss'][-1]:.4f}  differs by {e:.1e} (float32 from float64: {own:.1e})  rate, momentum {rest:.1e}{'  OVER' if over else ''}", flush=True)
    sys.exit(bad > 0)

if __name__ == "__main__":
    main()
