"""Compares every logit and every gradient of the earshot command with tsai on PyTorch in float64, whole tensors.

    go build -o /tmp/earshot ./cmd/earshot && python nets/testdata/parity_tsai.py /tmp/earshot [TIER ...]

Prints one row per net, channels, steps and kernel tier: the largest |a-b| / max|b| over logits in evaluation mode, in
training mode, and over all gradients; gradients whose reference is below 1e-6 of the largest are left out. Exit status 1
when one exceeds 1e-4 (1e-3 at T = 6000). Versions: see gen_tsai.py.
"""
import json, subprocess, sys, tempfile
from pathlib import Path
import numpy as np, torch
from gen_tsai import CASES, CLASSES, NETS, choose, save, u, weight

def load(path):
    raw = Path(path).read_bytes()
    n = int.from_bytes(raw[:8], "little")
    head = json.loads(raw[8:8 + n])
    return {k: np.frombuffer(raw, "<f4", (e["data_offsets"][1] - e["data_offsets"][0]) // 4, 8 + n + e["data_offsets"][0]).reshape(e["shape"])
            for k, e in head.items() if k != "__metadata__" and e["dtype"] == "F32"}

def worst(a, b): return float(np.abs(a - b).max() / np.abs(b).max())

def main():
    exe, tiers = sys.argv[1], sys.argv[2:] or ["auto"]
    bad = 0
    print(f"torch {torch.__version__}, numpy {np.__version__}")
    print("net            C     T  kernel      eval     train      loss  gradients  (PyTorch's own)  worst tensor")
    for net in NETS:
        for c, n, t in CASES:
            with tempfile.TemporaryDirectory() as d:
                d = Path(d)
                m = NETS[net](c, CLASSES)
                save(d / "w.safetensors", {k: weight(k, tuple(v.shape)) for k, v in m.state_dict().items() if not k.endswith("tracked")}
                     | {k: np.zeros((), "f4") for k in m.state_dict() if k.endswith("tracked")})
                # num_batches_tracked is int64 in the format
                raw = (d / "w.safetensors").read_bytes()
                h = int.from_bytes(raw[:8], "little"); head = json.loads(raw[8:8 + h]); data = bytearray(raw[8 + h:])
                for k, e in head.items():
                    if k.endswith("tracked"):
                        e["dtype"] = "I64"; e["data_offsets"] = [len(data), len(data) + 8]; data += bytes(8)
                hb = json.dumps(head).encode(); hb += b" " * (-len(hb) % 8)
                (d / "w.safetensors").write_bytes(len(hb).to_bytes(8, "little") + hb + bytes(data))
                s, seed, (ev, tr, loss, grads) = choose(net, c, n, t)
                np.save(d / "x.npy", (1.5 * u(f"x{seed}", n * c * t)).astype(np.float32).reshape(n, c, t))
                np.save(d / "y.npy", np.arange(n) % CLASSES)
                common = ["--net", net, "--profile", "tsai", "--classes", str(CLASSES), "--weights", d / "w.safetensors", "--input", d / "x.npy"]
                for tier in tiers:
                    def call(*args): return subprocess.run([exe, "net", *map(str, args), "--kernel", tier], check=True, capture_output=True, text=True).stdout
                    call("forward", *common, "--out", d / f"e{tier}.npy", "--mode", "eval")
                    call("forward", *common, "--out", d / f"t{tier}.npy", "--mode", "train")
                    l = json.loads(call("grad", *common, "--target", d / "y.npy", "--out", d / f"g{tier}.safetensors", "--json"))["loss"]
                    g = load(d / f"g{tier}.safetensors")
                    if set(g) != set(grads): sys.exit(f"{net}: gradients of {sorted(set(g) ^ set(grads))} on one side only")
                    top = max(float(b.abs().max()) for b in grads.values())
                    e = {k: worst(g[k], b.numpy()) for k, b in grads.items() if float(b.abs().max()) > 1e-6 * top}
                    k = max(e, key=e.get)
                    rows = worst(np.load(d / f"e{tier}.npy"), ev.numpy()), worst(np.load(d / f"t{tier}.npy"), tr.numpy()), abs(l / float(loss) - 1), e[k]
                    limit = 1e-3 if t >= 6000 else 1e-4
                    over = max(rows) > limit
                    bad += over
                    print(f"{net:13} {c:2} {t:5}  {tier:7} {rows[0]:9.1e} {rows[1]:9.1e} {rows[2]:9.1e}  {rows[3]:9.1e}  ({s:9.1e})      {k}{'  OVER' if over else ''}", flush=True)
    sys.exit(bad > 0)

if __name__ == "__main__":
    main()
