"""Does recording on many rigs at once change the traffic? python compare_parallel.py SERIAL PARALLEL [AXIS=VALUE ...]

Both are data sets of "earshot data record" with the same songs; the conditions choose captures of PARALLEL. For each song the
serial captures stand against the parallel ones: Wilcoxon's signed-rank test over songs for what a capture is, and the
two-sample Kolmogorov-Smirnov distance of the gaps between packets within a burst. numpy 2, pandas 2, pyarrow, scipy 1.
"""
import glob
import sys

import numpy as np
import pandas as pd
from scipy import stats

IDLE = 1e6  # a gap of a second ends a burst


def load(folder, conditions):
    captures = pd.concat(pd.read_parquet(f) for f in sorted(glob.glob(folder + "/captures-*.parquet"))).set_index("capture_id")
    packets = pd.concat(pd.read_parquet(f, columns=["capture_id", "t_us", "direction", "payload_bytes"])
                        for f in sorted(glob.glob(folder + "/packets-*.parquet")))
    for axis, value in conditions:
        captures = captures[captures["label_" + axis] == value]
    rows, gaps = [], []
    for capture_id, p in packets.groupby("capture_id"):
        if capture_id not in captures.index:
            continue
        down = p[(p.direction == 2) & (p.payload_bytes > 0)]
        t, size = down.t_us.to_numpy(), down.payload_bytes.to_numpy()
        start = np.flatnonzero(np.diff(t, prepend=-np.inf) > IDLE)
        end = np.append(start[1:], len(t))
        inside = np.diff(t)[np.diff(t) <= IDLE]
        big = [k for k in range(len(start)) if size[start[k]:end[k]].sum() > 50_000]
        rows.append(dict(
            song=captures.label_song[capture_id], bytes_down=size.sum(), packets_down=len(t), packets_up=(p.direction == 1).sum(),
            bursts=len(big), burst_ms=np.median([(t[end[k] - 1] - t[start[k]]) / 1e3 for k in big]),
            burst_bytes=np.median([size[start[k]:end[k]].sum() for k in big]),
            period_s=np.median(np.diff(t[start[big]])) / 1e6 if len(big) > 1 else np.nan,
            gap_median_us=np.median(inside), gap_p95_us=np.percentile(inside, 95)))
        gaps.append(inside)
    return pd.DataFrame(rows), np.concatenate(gaps)


conditions = [a.split("=") for a in sys.argv[3:]]
serial, serial_gaps = load(sys.argv[1], conditions)
parallel, parallel_gaps = load(sys.argv[2], conditions)
print(f"{len(serial)} serial captures, {len(parallel)} parallel ones, of {serial.song.nunique()} songs")
a, b = serial.groupby("song").mean(), parallel.groupby("song").mean()
b = b.loc[a.index]
spread = parallel.groupby("song").std().mean()
for column in a:
    d = (b - a)[column]
    p = stats.wilcoxon(d).pvalue if d.abs().max() > 0 else 1.0
    print(f"{column:14s} serial {a[column].mean():12.1f}  parallel {b[column].mean():12.1f}  difference {100 * d.mean() / a[column].mean():+6.2f} %"
          f"  (between parallel captures of a song {100 * spread[column] / b[column].mean():5.2f} %)  p {p:.3f}")
ks = stats.ks_2samp(serial_gaps, parallel_gaps)
print(f"gaps within bursts: {len(serial_gaps)} and {len(parallel_gaps)}, Kolmogorov-Smirnov distance {ks.statistic:.3f}")
