"""Reads STEM.csv, STEM.parquet and STEM.npz with pandas and NumPy and fails unless they are one table."""
import sys
import numpy as np
import pandas as pd

stem = sys.argv[1]
c = pd.read_csv(stem + ".csv")
p = pd.read_parquet(stem + ".parquet")
z = np.load(stem + ".npz")
assert list(c.columns) == list(p.columns)
keys = ["capture_id", "source"] + (["connection"] if "connection" in z else []) + [n for n in z.files if n.startswith("label_")]
assert list(c.columns) == keys + list(z["names"]), list(c.columns)[:8]
x = z["X"]
assert x.dtype == np.float64 and x.shape == (len(c), len(z["names"]))
for table in (c, p):
    assert np.array_equal(table[list(z["names"])].to_numpy(float), x, equal_nan=True)
    assert list(table.capture_id) == list(z["capture_id"]) and list(table.source) == list(z["capture"])
    for k in keys[2:]:
        assert list(table[k]) == list(z[k])
assert p.capture_id.dtype == np.int64 and (p.capture_id.diff().dropna() >= 0).all()
print(f"{x.shape[0]} rows, {x.shape[1]} columns, {np.isnan(x).sum()} values that do not exist")
