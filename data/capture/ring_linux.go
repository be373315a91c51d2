package capture

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The kernel writes frames into blocks of memory that it shares with us (TPACKET_V3, packet_mmap.rst): one wake-up for a
// block, and no copy. A block that is not full is handed over after blockMillis.
const (
	blockBytes  = 1 << 20 // holds the longest frame, 512 KiB behind offload
	blockMillis = 20
)

// Where the fields of a block and of a frame in it lie (struct tpacket_block_desc, struct tpacket3_hdr); in the machine's
// byte order.
const (
	blockStatusAt = 8
	blockCountAt  = 12
	blockFirstAt  = 16

	frameNextAt   = 0
	frameSecAt    = 4
	frameNsecAt   = 8
	frameSnapAt   = 12
	frameLenAt    = 16
	frameStatusAt = 20
	frameMacAt    = 24
	frameTagAt    = 32 // VLAN tag, which the kernel takes out of the frame
	frameTypeAt   = 36 // its ethertype
	frameHeader   = 48
	packetTypeAt  = frameHeader + 10 // in the struct sockaddr_ll behind the header
)

// ring is the shared memory.
type ring struct {
	mem   []byte
	block int    // the one that is read, or waited for
	left  uint32 // frames in it
	at    int    // of the next one
	held  bool   // the block is ours
}

func newRing(fd, bytes int) (*ring, error) {
	blocks := max(2, bytes/blockBytes)
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return nil, fmt.Errorf("ring: %w", err)
	}
	const frame = 2048 // the kernel asks for a number; version 3 packs frames of any length
	err := unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &unix.TpacketReq3{
		Block_size: blockBytes, Block_nr: uint32(blocks), Frame_size: frame, Frame_nr: uint32(blocks * blockBytes / frame), Retire_blk_tov: blockMillis,
	})
	if err != nil {
		return nil, fmt.Errorf("ring of %d MiB: %w", blocks*blockBytes>>20, err)
	}
	mem, err := unix.Mmap(fd, 0, blocks*blockBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("ring of %d MiB: %w", blocks*blockBytes>>20, err)
	}
	return &ring{mem: mem}, nil
}

func (r *ring) close() error {
	mem := r.mem
	r.mem = nil
	if mem == nil {
		return nil
	}
	return unix.Munmap(mem)
}

func (r *ring) status() *uint32 {
	return (*uint32)(unsafe.Pointer(&r.mem[r.block*blockBytes+blockStatusAt]))
}

func (r *ring) u32(at int) uint32 { return binary.NativeEndian.Uint32(r.mem[at:]) }

// next returns where the next frame lies; false when the kernel has handed over none. The frame before it is given back.
func (r *ring) next() (at int, ok bool) {
	for r.left == 0 {
		if r.held {
			atomic.StoreUint32(r.status(), unix.TP_STATUS_KERNEL)
			r.held = false
			r.block = (r.block + 1) % (len(r.mem) / blockBytes)
		}
		if atomic.LoadUint32(r.status())&unix.TP_STATUS_USER == 0 {
			return 0, false
		}
		base := r.block * blockBytes
		r.held, r.left, r.at = true, r.u32(base+blockCountAt), base+int(r.u32(base+blockFirstAt))
	}
	at = r.at
	r.left--
	r.at += int(r.u32(at + frameNextAt))
	return at, true
}

// frame fills in r with the frame at a place of the ring; its bytes are the ring's own until the next one is asked for. sent: by
// this machine.
func (g *ring) frame(at int, r *raw, scratch *[]byte) (sent bool) {
	mac, snap := at+int(binary.NativeEndian.Uint16(g.mem[at+frameMacAt:])), int(g.u32(at+frameSnapAt))
	r.bytes, r.length = g.mem[mac:mac+snap:mac+snap], int64(g.u32(at+frameLenAt))
	r.unixUS = int64(g.u32(at+frameSecAt))*1_000_000 + int64(g.u32(at+frameNsecAt))/1000
	if status := g.u32(at + frameStatusAt); status&unix.TP_STATUS_VLAN_VALID != 0 && r.link == linkEthernet && snap >= 12 {
		kind := uint16(etherVLAN)
		if status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
			kind = binary.NativeEndian.Uint16(g.mem[at+frameTypeAt:])
		}
		b := append((*scratch)[:0], r.bytes[:12]...)
		b = binary.BigEndian.AppendUint16(b, kind)
		b = binary.BigEndian.AppendUint16(b, uint16(g.u32(at+frameTagAt)))
		*scratch = append(b, r.bytes[12:]...)
		r.bytes, r.length = *scratch, r.length+4
	}
	r.size = int64(len(r.bytes))
	return g.mem[at+packetTypeAt] == unix.PACKET_OUTGOING
}
