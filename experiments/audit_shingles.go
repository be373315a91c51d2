package experiments

import (
	"cmp"
	"slices"

	"earshot/data/dataset"
	"earshot/data/trace"
)

// The same traffic can lie in a data set twice in different clothes: as a long capture and as a single request cut from
// it, as pcap and as csv of sizes, with another clock, with and without acknowledgments. What all of these keep is the
// order of the payload sizes within one direction. A window is a hash of windowTokens such sizes that follow each other,
// runs of equal ones counted once (so that a lost or an added full-sized packet in a bulk transfer breaks nothing).
// Captures that share many windows that few others have are compared. How long a window is, how many must agree and when
// was chosen on voice commands that are there as csv and as pcap (473 of 495 pairs are found) and on seven sets without known
// duplicates, 4,598 captures (none is found); other data were not tried.
const (
	windowTokens = 6
	// windowsKept bounds the memory of an audit: beyond it, windows are thinned by their hash, the same ones in every
	// capture (Broder, 1997).
	windowsKept = 1 << 20
	// windowCaptures is the number of captures beyond which a window is a habit of the protocol, such as a handshake.
	windowCaptures = 16
)

// windowBase is the base of the rolling hash (Karp and Rabin, 1987), windowOut its power that a size leaves with.
const (
	windowBase = 0x9e3779b97f4a7c15
	windowOut  = 0x4be7956e30a337e9 // windowBase^windowTokens modulo 2^64
)

// headerBytes are what a size may count above the payload when a source gives one size only: nothing, UDP or TCP below
// IP, the same with an Ethernet header, TCP with time stamps. Which it is need not be known: the windows of each are
// made, as far as the smallest packet is not smaller.
var headerBytes = []int32{0, 28, 40, 42, 52, 54, 66}

// window is one of a capture's windows.
type window struct {
	hash            uint64
	capture, packet int32 // the window's first packet
	at              int64 // its time, microseconds since the capture's first packet
}

// onlySizes reports whether a capture's source gave one size for payload, IP and frame.
func onlySizes(c *dataset.Capture) bool { return c.BytesFrame == c.Bytes() }

// windows appends the windows of a capture whose hash lets them pass, each hash once. both adds the windows that ignore
// the direction, which a set needs when a part of it has none.
func windows(out []window, t *trace.Trace, capture int32, sizesOnly, both bool, pass uint64) []window {
	headers := []int32{0}
	if sizesOnly {
		smallest := int32(1 << 30)
		for i := range t.Packets {
			smallest = min(smallest, t.Packets[i].PayloadBytes)
		}
		headers = slices.DeleteFunc(slices.Clone(headerBytes), func(h int32) bool { return h > smallest })
	}
	from := len(out)
	stream := func(header int32, direction trace.Direction) {
		var sizes [windowTokens]int32
		var packets [windowTokens]int32
		var sum uint64 // of sizes times powers of windowBase, the latest size's power 1
		last := int32(0)
		n := 0
		for i := range t.Packets {
			p := &t.Packets[i]
			size := p.PayloadBytes - header
			if size <= 0 || size == last || direction != trace.Unknown && p.Direction != direction {
				continue
			}
			k := n % windowTokens
			sum = sum*windowBase + uint64(size) - uint64(sizes[k])*windowOut
			sizes[k], packets[k], last = size, int32(i), size
			if n++; n < windowTokens {
				continue
			}
			hash := sum ^ sum>>32 // the low bits alone are weak
			hash *= 0xd6e8feb86659fd93
			hash ^= hash >> 32
			if hash&pass == 0 {
				first := packets[n%windowTokens]
				out = append(out, window{hash, capture, first, t.Packets[first].Time})
			}
		}
	}
	for _, h := range headers {
		stream(h, trace.Up)
		stream(h, trace.Down)
		if both {
			stream(h, trace.Unknown)
		}
	}
	own := out[from:]
	slices.SortFunc(own, func(a, b window) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.packet, b.packet))
	})
	own = slices.CompactFunc(own, func(a, b window) bool { return a.hash == b.hash })
	return out[:from+len(own)]
}

// kin is a pair of captures that share windows.
type kin struct {
	a, b    int32 // captures; a < b
	shared  int   // places in a with a window that b has too, of those that few captures have
	of      int   // such places in the capture that has fewer
	aligned int   // shared places with the same clock offset
	offset  int64 // that offset: time in b minus time in a, microseconds
	span    int64 // from the first to the last of them in a, microseconds
	moments int   // of them that are momentGap after the one before
}

// alignment is how much the offset may differ between windows of the same packets: two clocks, two places.
const alignment = 1000

// momentGap parts windows that may agree in time for one reason, such as a burst, from those that agree by themselves.
const momentGap = 100_000

// leastShared is the number of places under which two captures do not count as related.
const leastShared = 6

// same reports whether the pair holds the same packets, and not only the same sizes: at least leastShared windows over a
// second or more, in three moments or more, two thirds of what is shared, with one clock offset. Independent captures of one dialog share windows,
// but every burst of theirs has another offset.
func (k kin) same() bool {
	return k.aligned >= leastShared && k.span >= 1_000_000 && k.moments >= 3 && 3*k.aligned >= 2*k.shared
}

// alike reports whether half of the smaller capture's rare windows are in the other.
func (k kin) alike() bool { return 2*k.shared >= k.of }

// relatives lists the pairs of captures that share at least leastShared windows. It sorts ws.
func relatives(ws []window, captures int) []kin {
	slices.SortFunc(ws, func(a, b window) int {
		if a.hash != b.hash {
			return cmp.Compare(a.hash, b.hash)
		}
		return cmp.Compare(a.capture, b.capture)
	})
	type pair struct{ a, b int32 }
	type match struct {
		a, b     int32 // packets
		at       int64 // of a
		distance int64 // time of b minus that
	}
	matches := map[pair][]match{}
	places := make([]map[int32]bool, captures) // packets at which rare windows begin
	for i := 0; i < len(ws); {
		j := i
		for j < len(ws) && ws[j].hash == ws[i].hash {
			j++
		}
		same := ws[i:j]
		i = j
		if len(same) > windowCaptures {
			continue
		}
		for x, a := range same {
			if places[a.capture] == nil {
				places[a.capture] = map[int32]bool{}
			}
			places[a.capture][a.packet] = true
			for _, b := range same[x+1:] {
				p := pair{a.capture, b.capture}
				matches[p] = append(matches[p], match{a.packet, b.packet, a.at, b.at - a.at})
			}
		}
	}
	var out []kin
	for p, ms := range matches {
		if len(ms) < leastShared {
			continue
		}
		// Several readings of one size (headerBytes) give one place.
		slices.SortFunc(ms, func(x, y match) int { return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b)) })
		ms = slices.Compact(ms)
		if k := (kin{a: p.a, b: p.b, shared: len(ms), of: min(len(places[p.a]), len(places[p.b]))}); k.shared >= leastShared {
			slices.SortStableFunc(ms, func(x, y match) int { return cmp.Compare(x.distance, y.distance) })
			lo, from := 0, 0
			for hi := range ms {
				for ms[hi].distance-ms[lo].distance > alignment {
					lo++
				}
				if n := hi - lo + 1; n > k.aligned {
					k.aligned, k.offset, from = n, ms[lo+n/2].distance, lo
				}
			}
			var at []int64
			for _, m := range ms[from : from+k.aligned] {
				at = append(at, m.at)
			}
			slices.Sort(at)
			k.span, k.moments = at[len(at)-1]-at[0], 1
			last := at[0]
			for _, v := range at {
				if v-last >= momentGap {
					k.moments, last = k.moments+1, v
				}
			}
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(x, y kin) int { return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b)) })
	return out
}
