# Reads a data set folder with pandas and with DuckDB, as their users would, and compares the two with dataset.json.
# Written for pandas 3.1.1 with pyarrow 26.0.1 and duckdb 2.0.0. Run: python read_dataset.py FOLDER
import glob
import hashlib
import json
import sys

import duckdb
import pandas as pd

folder = sys.argv[1]
manifest = json.load(open(folder + "/dataset.json"))
assert list(manifest) == ["format", "name", "origin", "license", "authorized", "axes", "clients", "servers", "filter", "parts", "created"], list(manifest)
assert manifest["format"] == 1
rows = {}
for part in manifest["parts"]:
    assert set(part) == {"name", "sha256", "rows"}
    assert hashlib.sha256(open(f"{folder}/{part['name']}", "rb").read()).hexdigest() == part["sha256"]
    kind = part["name"].split("-")[0]
    rows[kind] = rows.get(kind, 0) + part["rows"]


def read(kind):
    files = sorted(glob.glob(f"{folder}/{kind}-*.parquet"))
    return pd.concat([pd.read_parquet(f) for f in files], ignore_index=True)


captures, packets, flows = read("captures"), read("packets"), read("flows")
assert (len(captures), len(packets), len(flows)) == (rows["captures"], rows["packets"], rows["flows"])

columns = {
    "capture_id": "int64", "source": "str", "digest": "str", "start_us": "int64", "duration_us": "int64", "packets": "int64", "bytes_up": "int64",
    "bytes_down": "int64", "bytes_unknown": "int64", "excluded": "str", **{"label_" + a: "str" for a in manifest["axes"]},
}
assert list(captures.columns)[: len(columns)] == list(columns), list(captures.columns)
for name, dtype in columns.items():
    assert str(captures[name].dtype) in (dtype, "object" if dtype == "str" else dtype), (name, captures[name].dtype)
assert list(captures.capture_id) == list(range(len(captures)))

columns = {
    "capture_id": "int64", "t_us": "int64", "direction": "int8", "flow": "int32", "protocol": "uint8", "payload_bytes": "int32", "ip_bytes": "int32",
    "frame_bytes": "int32", "tcp_flags": "uint16", "tcp_seq": "uint32", "tcp_ack": "uint32", "tcp_window": "uint16",
}
assert list(packets.columns)[: len(columns)] == list(columns), list(packets.columns)
for name, dtype in columns.items():
    assert str(packets[name].dtype) == dtype, (name, packets[name].dtype)

# The sums in the table of captures are those of the packets; DuckDB sees the same.
for name, direction in (("bytes_up", 1), ("bytes_down", 2), ("bytes_unknown", 0)):
    sums = packets[packets.direction == direction].groupby("capture_id").payload_bytes.sum().reindex(captures.capture_id, fill_value=0)
    assert (sums.to_numpy() == captures[name].to_numpy()).all(), name
assert (packets.groupby("capture_id").size().reindex(captures.capture_id, fill_value=0).to_numpy() == captures.packets.to_numpy()).all()
query = f"""
    SELECT c.source, sum(p.payload_bytes), max(p.t_us), count(*)
    FROM '{folder}/packets-*.parquet' p JOIN '{folder}/captures-*.parquet' c USING (capture_id) GROUP BY ALL ORDER BY c.source"""
for source, size, last, n in duckdb.sql(query).fetchall():
    c = captures[captures.source == source].iloc[0]
    p = packets[packets.capture_id == c.capture_id]
    assert (size, last, n) == (p.payload_bytes.sum(), p.t_us.max(), len(p)), source
print(json.dumps({"captures": len(captures), "packets": len(packets), "flows": len(flows), "payload": int(packets.payload_bytes.sum())}))
