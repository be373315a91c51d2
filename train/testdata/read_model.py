"""Reads a model folder and a table of predictions as another program would, and scores the same rows with tsai. Run with torch 2.15.0, tsai 1.0.1, numpy 2.3.5, Python 3.11.7.

    earshot train X.npz --net fcn --out MODEL && earshot predict X.npz --model MODEL --out P.csv
    python read_model.py MODEL X.npz P.csv

Prints the largest difference of a score; exit status 1 when it is above 1e-4 or when a file lacks what it must hold.
"""
import csv, json, sys, warnings
from pathlib import Path
warnings.filterwarnings("ignore")
import numpy as np, torch
from tsai.models.FCN import FCN
from tsai.models.InceptionTime import InceptionTime
from tsai.models.ResNet import ResNet
from tsai.models.RNN import LSTM

NETS = {"fcn": FCN, "resnet": ResNet, "lstm": LSTM, "inceptiontime": InceptionTime}
DTYPE = {"F32": "<f4", "I64": "<i8"}

def safetensors(path):
    raw = Path(path).read_bytes()
    n = int.from_bytes(raw[:8], "little")
    return {k: torch.from_numpy(np.frombuffer(raw[8 + n + e["data_offsets"][0]:8 + n + e["data_offsets"][1]], DTYPE[e["dtype"]]).reshape(e["shape"]).copy())
            for k, e in json.loads(raw[8:8 + n]).items() if k != "__metadata__"}

def main():
    folder, array, table = map(Path, sys.argv[1:4])
    info = json.loads((folder / "model.json").read_text())
    for key in ("format", "net", "profile", "classes", "preprocessing", "data", "seed", "version"):
        if key not in info: sys.exit(f"model.json: no {key}")
    if info["profile"] != "tsai": sys.exit("only profile tsai has a network in tsai")
    history = list(csv.DictReader(open(folder / "history.csv")))
    if [int(r["epoch"]) for r in history] != list(range(1, len(history) + 1)): sys.exit("history.csv: epochs are not 1, 2, …")
    m = NETS[info["net"]](info["channels"], len(info["classes"]))
    m.load_state_dict(safetensors(folder / "weights.safetensors"))
    m.eval()
    data = np.load(array)
    x = data["X"].astype(np.float64)
    norm = info["normalizer"]
    if norm["mode"] == "train": x = (x - norm["mean"][0]) / norm["std"][0]
    if norm["mode"] == "sample":
        flat = x.reshape(len(x), -1)
        x = (x - flat.mean(1)[:, None, None]) / np.maximum(flat.std(1, ddof=1), 1e-8)[:, None, None]
    with torch.no_grad(): want = torch.softmax(m(torch.from_numpy(x.astype(np.float32))), 1).numpy()
    rows = list(csv.DictReader(open(table)))
    got = np.array([[float(r["score_" + c]) for c in info["classes"]] for r in rows])
    if [r["predicted"] for r in rows] != [info["classes"][i] for i in got.argmax(1)]: sys.exit("predicted is not the largest score")
    if "y" in data and [r["true"] for r in rows] != [str(data["classes"][i]) for i in data["y"]]: sys.exit("true is not y")
    d = float(np.abs(got - want).max())
    print(f"{info['net']}: {len(rows)} rows, scores differ by at most {d:.1e}")
    sys.exit(d > 1e-4)

if __name__ == "__main__":
    main()
