package capture

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/bpf"
)

// Filter says which packets a live capture takes; the zero value takes all. Terms of one kind are alternatives, and a packet
// must satisfy every kind that is named: (TCP or UDP) and (one of the ports) and (one of the hosts, as sender or receiver).
// It is the kernel that filters, so what is left out costs nothing.
//
// A port asks for UDP or TCP and for a header that is there: later fragments of a datagram have none, as in tcpdump.
type Filter struct {
	Protocols []uint8 // IP protocol numbers
	Ports     []uint16
	Hosts     []netip.Prefix
}

var protocolNumbers = map[string]uint8{"tcp": protoTCP, "udp": protoUDP, "icmp": 1, "icmp6": 58, "esp": 50, "gre": 47, "sctp": 132}

// ParseFilter reads terms between commas: tcp, udp, icmp, icmp6, esp, gre, sctp, proto=N, port=N, host=ADDRESS, host=CIDR,
// host=@FILE, where hosts reads a list of addresses such as @FILE.
func ParseFilter(s string, hosts func(list string) ([]netip.Prefix, error)) (Filter, error) {
	var f Filter
	for _, term := range strings.Split(s, ",") {
		term = strings.TrimSpace(term)
		key, value, _ := strings.Cut(term, "=")
		if n, ok := protocolNumbers[term]; ok {
			f.Protocols = append(f.Protocols, n)
			continue
		}
		switch key {
		case "":
			if term != "" || s != "" && strings.Trim(s, " ") != "" {
				return f, fmt.Errorf("an empty term in %q; take one comma out", s)
			}
		case "proto":
			n, err := strconv.ParseUint(value, 10, 8)
			if err != nil {
				return f, fmt.Errorf("term %q: a protocol is a number from 0 to 255; give one", term)
			}
			f.Protocols = append(f.Protocols, uint8(n))
		case "port":
			n, err := strconv.ParseUint(value, 10, 16)
			if err != nil {
				return f, fmt.Errorf("term %q: a port is a number from 0 to 65535; give one", term)
			}
			f.Ports = append(f.Ports, uint16(n))
		case "host":
			list, err := hosts(value)
			if err != nil {
				return f, err
			}
			if len(list) == 0 {
				return f, fmt.Errorf("term %q: no address; give an address, a network or @FILE", term)
			}
			f.Hosts = append(f.Hosts, list...)
		default:
			return f, fmt.Errorf("term %q is unknown; there are tcp, udp, icmp, icmp6, esp, gre, sctp, proto=N, port=N, host=CIDR, host=@FILE", term)
		}
	}
	return f, nil
}

// String is the filter as ParseFilter reads it, its hosts written out.
func (f Filter) String() string {
	var terms []string
	for _, p := range f.Protocols {
		name := "proto=" + strconv.Itoa(int(p))
		for k, v := range protocolNumbers {
			if v == p {
				name = k
			}
		}
		terms = append(terms, name)
	}
	for _, p := range f.Ports {
		terms = append(terms, "port="+strconv.Itoa(int(p)))
	}
	for _, h := range f.Hosts {
		terms = append(terms, "host="+h.String())
	}
	return strings.Join(terms, ",")
}

func (f Filter) empty() bool { return len(f.Protocols)+len(f.Ports)+len(f.Hosts) == 0 }

// maxFilter is how many instructions the kernel takes (BPF_MAXINSNS).
const maxFilter = 4096

// compile makes the kernel's program for frames whose IP header begins at byte ip. Frames that are not IP, or IPv6 whose
// next header is none of the wanted (extension headers are not walked), do not pass.
func (f Filter) compile(ip uint32) ([]bpf.RawInstruction, error) {
	var a assembler
	protocols := f.Protocols
	if len(f.Ports) > 0 { // ports exist in these two only
		protocols = nil
		for _, p := range []uint8{protoTCP, protoUDP} {
			if len(f.Protocols) == 0 || slices.Contains(f.Protocols, p) {
				protocols = append(protocols, p)
			}
		}
		if protocols == nil {
			return nil, fmt.Errorf("ports belong to tcp and udp; take the other protocols or the ports out")
		}
	}
	a.add(bpf.LoadAbsolute{Off: ip, Size: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4})
	a.jump(4, "4")
	a.jump(6, "6")
	a.goTo("drop")
	for _, v := range []struct {
		version, next, src, dst uint32
		size                    int // of an address, bytes
	}{{4, 9, 12, 16, 4}, {6, 6, 8, 24, 16}} {
		n := strconv.Itoa(int(v.version))
		a.label(n)
		if len(protocols) > 0 {
			a.add(bpf.LoadAbsolute{Off: ip + v.next, Size: 1})
			for _, p := range protocols {
				a.jump(uint32(p), "hosts"+n)
			}
			a.goTo("drop")
		}
		a.label("hosts" + n)
		if len(f.Hosts) > 0 {
			for i, h := range f.Hosts {
				for _, off := range []uint32{v.src, v.dst} {
					if h.Addr().BitLen() == 8*v.size {
						a.prefix(ip+off, h, fmt.Sprintf("host%s.%d.%d", n, i, off), "ports"+n)
					}
				}
			}
			a.goTo("drop")
		}
		a.label("ports" + n)
		if len(f.Ports) == 0 {
			a.goTo("take")
			continue
		}
		if v.version == 4 {
			a.add(bpf.LoadAbsolute{Off: ip + 6, Size: 2}, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0x1fff}) // fragment offset
			a.jump(0, "first4")
			a.goTo("drop")
			a.label("first4")
			a.add(bpf.LoadMemShift{Off: ip}) // X = length of the IP header
		} else {
			a.add(bpf.LoadConstant{Dst: bpf.RegX, Val: 40})
		}
		for _, off := range []uint32{0, 2} {
			a.add(bpf.LoadIndirect{Off: ip + off, Size: 2})
			for _, p := range f.Ports {
				a.jump(uint32(p), "take")
			}
		}
		a.goTo("drop")
	}
	a.label("drop")
	a.add(bpf.RetConstant{Val: 0})
	a.label("take")
	a.add(bpf.RetConstant{Val: 1 << 18})
	return a.program()
}

// assembler resolves labels. Conditional jumps reach 255 instructions only, so each is turned round, over a plain jump.
type assembler struct {
	code   []bpf.Instruction
	target map[int]string // of the plain jumps
	labels map[string]int
}

func (a *assembler) add(i ...bpf.Instruction) { a.code = append(a.code, i...) }

func (a *assembler) label(name string) {
	if a.labels == nil {
		a.labels, a.target = map[string]int{}, map[int]string{}
	}
	a.labels[name] = len(a.code)
}

func (a *assembler) goTo(name string) {
	a.label("") // makes the maps
	a.target[len(a.code)] = name
	a.add(bpf.Jump{})
}

// jump goes to name when the value at hand is v.
func (a *assembler) jump(v uint32, name string) {
	a.add(bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: v, SkipTrue: 1})
	a.goTo(name)
}

// prefix goes to name when the address at off lies in h; miss is a label of its own.
func (a *assembler) prefix(off uint32, h netip.Prefix, miss, name string) {
	addr := h.Masked().Addr().AsSlice()
	for bits, word := h.Bits(), uint32(0); ; bits, word = bits-32, word+1 {
		if bits <= 0 {
			a.goTo(name)
			break
		}
		a.add(bpf.LoadAbsolute{Off: off + 4*word, Size: 4})
		if bits < 32 {
			a.add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: ^uint32(0) << (32 - bits)})
		}
		w := addr[4*word:]
		a.add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(w[0])<<24 | uint32(w[1])<<16 | uint32(w[2])<<8 | uint32(w[3]), SkipTrue: 1})
		a.goTo(miss)
	}
	a.label(miss)
}

func (a *assembler) program() ([]bpf.RawInstruction, error) {
	for at, name := range a.target {
		a.code[at] = bpf.Jump{Skip: uint32(a.labels[name] - at - 1)}
	}
	if len(a.code) > maxFilter {
		return nil, fmt.Errorf("the filter has %d instructions, the kernel takes %d; name fewer hosts, or wider networks", len(a.code), maxFilter)
	}
	return bpf.Assemble(a.code)
}
