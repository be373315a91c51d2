#!/usr/bin/env python3
"""Writes numpy.json: features of a trace that a formula makes, computed with NumPy and pandas the long way around.

Needs numpy and pandas. features_test.go makes the same trace and compares every value.
"""
import json, sys
import numpy as np, pandas as pd

N = 400
i = np.arange(N)
gap = (i * i * 37) % 5003 * 7
gap[[50, 200]] = 6_000_000
gap[[100, 300]] = 1_500_000
gap[0] = 0
d = pd.DataFrame({
    "t": np.cumsum(gap),                                 # microseconds
    "up": (i * i * 31 + i) % 7 < 3,
    "payload": np.where(i % 5 == 0, 0, (i * i * 7919) % 1461),
    "flags": 16 | np.where(i % 3 == 0, 8, 0) | np.where(i == 0, 2, 0) | np.where(i % 50 == 7, 32, 0),
    "window": 1000 + i,
})
d["ip"] = d.payload + 40 + 12 * (i % 2)
out = {}


def flag(v, bit):
    return (v["flags"].to_numpy() >> bit & 1).sum()


def stats(v):
    return (v.min(), v.mean(), v.std() if len(v) > 1 else 0., v.max()) if len(v) else (0.,) * 4


# histogram, downlink, IP bytes, with and without ACKs
for acks in ("yes", "no"):
    v = d[~d.up & ((d.payload > 0) | (acks == "yes"))]
    h = {}
    for name, x in (("size", v.ip.to_numpy(float)), ("iat", np.diff(v.t) / 1e6)):
        n, _ = np.histogram(x, 15)
        for k, c in enumerate(n / n.sum()):
            h[f"{name}_{k + 1:02}_down"] = c
    out["histogram acks=" + acks] = h

# NFStream
o = {}
for side, v in (("bidirectional", d), ("src2dst", d[d.up]), ("dst2src", d[~d.up])):
    o[side + "_duration_ms"] = (v.t.iloc[-1] - v.t.iloc[0]) / 1e3
    o[side + "_packets"], o[side + "_bytes"] = len(v), v.ip.sum()
    for what, a, b in zip(("min", "mean", "stddev", "max"), stats(v.ip), stats(v.t.diff().dropna() / 1e3)):
        o[f"{side}_{what}_ps"], o[f"{side}_{what}_piat_ms"] = a, b
    for k, f in enumerate("fin syn rst psh ack urg ece cwr".split()):
        o[f"{side}_{f}_packets"] = flag(v, k)
out["nfstream"] = o

# CICFlowMeter
o, seconds = {}, d.t.iloc[-1] / 1e6
o["Flow Duration"], o["Flow Bytes/s"], o["Flow Packets/s"] = d.t.iloc[-1], d.ip.sum() / seconds, N / seconds


def four(prefix, v):
    o[prefix + " Min"], o[prefix + " Mean"], o[prefix + " Std"], o[prefix + " Max"] = stats(v)


four("Flow IAT", d.t.diff().dropna())
gaps = d.t.diff().fillna(0)
subflows = (gaps > 1e6).sum() + 1
for side, word, v in (("Fwd", "Fwd", d[d.up]), ("Bwd", "Backward", d[~d.up])):
    o[f"Total {word} Packets"], o[f"Total Length of {side} Packets"] = len(v), v.ip.sum()
    four(side + " Packet Length", v.ip)
    four(side + " IAT", v.t.diff().dropna())
    o[side + " IAT Total"] = v.t.iloc[-1] - v.t.iloc[0]
    o[side + " PSH Flags"], o[side + " URG Flags"] = flag(v, 3), flag(v, 5)
    o[side + " Header Length"] = (v.ip - v.payload).sum()
    o[side + " Packets/s"], o[f"Avg {side} Segment Size"] = len(v) / seconds, v.ip.mean()
    o[f"Subflow {side} Packets"], o[f"Subflow {side} Bytes"] = len(v) / subflows, v.ip.sum() / subflows
    # Bulks: runs of data packets of one side, cut where more than a second passes.
    data = d[d.payload > 0]
    data = data[data.up == (side == "Fwd")].assign(run=(data.up != data.up.shift()).cumsum()[data.up == (side == "Fwd")])
    bulks = []
    for _, r in data.groupby("run"):
        bulks += [b for _, b in r.groupby((r.t.diff() > 1e6).cumsum()) if len(b) >= 4]
    n = max(1, len(bulks))
    size, time = sum(b.ip.sum() for b in bulks), sum(b.t.iloc[-1] - b.t.iloc[0] for b in bulks)
    o[f"{side} Avg Bytes/Bulk"], o[f"{side} Avg Packets/Bulk"] = size / n, sum(map(len, bulks)) / n
    o[f"{side} Avg Bulk Rate"] = size / (time / 1e6) if time else 0
o["Min Packet Length"], o["Packet Length Mean"], o["Packet Length Std"], o["Max Packet Length"] = stats(d.ip)
o["Packet Length Variance"], o["Average Packet Size"] = d.ip.var(), d.ip.mean()
for k, f in enumerate("FIN SYN RST PSH ACK URG ECE CWE".split()):
    o[f + " Flag Count"] = flag(d, k)
o["Down/Up Ratio"] = (~d.up).sum() / d.up.sum()
o["Init_Win_bytes_forward"], o["Init_Win_bytes_backward"] = d[d.up].window.iloc[0], d[~d.up].window.iloc[0]
o["act_data_pkt_fwd"], o["min_seg_size_forward"] = (d[d.up].payload > 0).sum(), (d.ip - d.payload)[d.up].min()
periods = [p for _, p in d.groupby((gaps > 5e6).cumsum())]
active = pd.Series([p.t.iloc[-1] - p.t.iloc[0] for p in periods], dtype=float)
four("Active", active[active > 0])
four("Idle", gaps[gaps > 5e6])
out["cicflowmeter"] = o

# TAM as in the authors' preprocessing (20 slots over 10 s to keep the file small)
slots, load = 20, 10.
o = {f"tam_{k + 1:02}_{s}": 0 for s in ("up", "down") for k in range(slots)}
for t, up in zip(d.t / 1e6, d.up):
    k = slots - 1 if t >= load else int(t * (slots - 1) / load)
    o[f"tam_{k + 1:02}_{'up' if up else 'down'}"] += 1
out["tam slots=20,duration=10s"] = o

# CUMUL as in the authors' script
signed = np.where(d.up, -d.ip, d.ip)
total, curve = np.cumsum(d.ip), np.cumsum(signed)
points = np.interp(np.linspace(total[0], total.iloc[-1], 101), total, curve)[1:]
o = {f"cumul_{k + 1:03}": v for k, v in enumerate(points)}
o |= {"packets_down": (~d.up).sum(), "packets_up": d.up.sum(), "bytes_down": d.ip[~d.up].sum(), "bytes_up": d.ip[d.up].sum()}
out["cumulative"] = o

# bursts
run = (d.up != d.up.shift()).cumsum()
b = d.groupby(run).agg(up=("up", "first"), packets=("up", "size"), bytes=("ip", "sum"))
o = {f"burst_{k + 1:02}": (v if u else -v) for k, (u, v) in enumerate(zip(b.up[:20], b.bytes[:20]))}
for side, v in (("up", b[b.up]), ("down", b[~b.up])):
    o["bursts_" + side] = len(v)
    for of in ("packets", "bytes"):
        o[f"burst_{of}_mean_{side}"], o[f"burst_{of}_sd_{side}"], o[f"burst_{of}_max_{side}"] = v[of].mean(), v[of].std(), v[of].max()
out["bursts"] = o

# sequence
o = {}
for k in range(30):
    o[f"direction_{k + 1:02}"] = 1 if d.up[k] else -1
    o[f"size_{k + 1:02}"], o[f"iat_{k + 1:02}"] = d.ip[k], (d.t[k] - d.t[k - 1]) / 1e6 if k else 0
out["sequence"] = o

versions = f"numpy {np.__version__}, pandas {pd.__version__}, python {sys.version.split()[0]}"
with open("numpy.json", "w") as f:
    json.dump({"versions": versions, "sets": out}, f, indent=0, default=float)
    f.write("\n")
