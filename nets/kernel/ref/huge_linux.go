package ref

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is the size of a large page of x86-64 and of most arm64 systems.
const hugePage = 2 << 20

// preferHuge asks for large pages under a buffer of several of them. A network streams through its activations: small
// pages cost a fault each at first, and the processor's prefetching ends at the end of a page. Where the system grants
// none, nothing changes.
func preferHuge(v []float32) {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(v)))
	from := (at + hugePage - 1) &^ (hugePage - 1)
	to := (at + uintptr(len(v))*4) &^ (hugePage - 1)
	if to <= from+hugePage {
		return
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*4)
	_ = unix.Madvise(b[from-at:to-at], unix.MADV_HUGEPAGE)
}
