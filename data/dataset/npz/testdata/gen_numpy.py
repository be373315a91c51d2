# Written with NumPy 2.4.6 on Python 3.11. Run: python gen_numpy.py (in this folder). The arrays are the ones that npz_test.go expects.
import io
import zipfile

import numpy as np

a = np.arange(6).reshape(2, 3)
arrays = {
    "f2": np.array([[0, 1, -2.5], [65504, 6e-8, np.inf]], "<f2"),
    "f2be": np.array([[0, 1, -2.5], [65504, 6e-8, -np.inf]], ">f2"),
    "f4": a.astype("<f4") / 4,
    "f4be": (a / 4).astype(">f4"),
    "f4fortran": np.asfortranarray(a.astype("<f4")),
    "f8": a.astype("<f8") / 3,
    "f8be": (a / 3).astype(">f8"),
    "i1": np.array([-128, 127], "i1"),
    "u1": np.array([0, 255], "u1"),
    "i2": np.array([-32768, 32767], "<i2"),
    "u2be": np.array([0, 65535], ">u2"),
    "i4": np.array([-(2**31), 2**31 - 1], "<i4"),
    "u4": np.array([0, 2**32 - 1], "<u4"),
    "i8": np.array([-(2**63), 2**63 - 1], "<i8"),
    "i8be": np.array([-(2**63), 2**63 - 1], ">i8"),
    "u8": np.array([0, 2**63 - 1], "<u8"),
    "bool": np.array([[True, False], [False, True]]),
    "str": np.array(["a", "song ♪", ""]),
    "strbe": np.array(["a", "song ♪", ""]).astype(">U6"),
    "strfortran": np.asfortranarray(np.array([["a", "b"], ["c", "d"]])),
    "cube": np.asfortranarray(np.arange(24).reshape(2, 3, 4)),
    "scalar": np.int64(42),
    "none": np.zeros((0, 3), "<f4"),
}
np.savez("stored.npz", **arrays)
np.savez_compressed("compressed.npz", **arrays)
np.save("single.npy", a.astype("<f4"))
np.savez("object.npz", o=np.array([{}, 1], dtype=object))
np.savez("struct.npz", s=np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")]))
np.savez("toobig.npz", u=np.array([2**63], "<u8"))
# Format 2 of the header, which NumPy writes for long ones.
b = io.BytesIO()
np.lib.format.write_array(b, a.astype("<i4"), version=(2, 0))
with zipfile.ZipFile("version2.npz", "w") as z:
    z.writestr("v.npy", b.getvalue())
