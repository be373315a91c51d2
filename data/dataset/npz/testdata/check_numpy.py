# Reads with NumPy what npz_test.go wrote: python check_numpy.py FILE.npz FILE.npy
import sys

import numpy as np

z = np.load(sys.argv[1])
assert z["f32"].dtype == np.float32 and (z["f32"] == np.arange(6).reshape(1, 2, 3) / 4).all()
assert z["f64"].dtype == np.float64 and (z["f64"] == [0.1, -np.inf]).all()
assert z["i64"].dtype == np.int64 and (z["i64"] == [[-(2**63)], [2**63 - 1]]).all() and z["i64"].shape == (2, 1)
assert z["i32"].dtype == np.int32 and (z["i32"] == [-1, 2]).all()
assert z["str"].dtype.kind == "U" and list(z["str"]) == ["a", "song ♪", ""]
assert z["bool"].dtype == bool and list(z["bool"]) == [True, False]
assert z["scalar"].shape == () and z["scalar"] == 7
assert z["none"].shape == (0, 4) and z["none"].dtype == np.float32
x = np.load(sys.argv[2], mmap_mode="r")
assert isinstance(x, np.memmap) and x.offset % 64 == 0 and (x == np.arange(6).reshape(2, 3)).all()
print("equal")
