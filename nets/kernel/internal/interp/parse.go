// Package interp runs the Go assembly that tools/kernelgen writes, in plain Go, so that a tier is tested on machines
// whose processor lacks it. Every access is checked against the slices that were passed, which no processor does, and
// results equal the processor's to the last bit.
//
//	u, err := interp.Load("conv_avx512_amd64.s")
//	u.Run("convPackAVX512", dst, src, scale, shift, floor, len(src))
//
// It knows the instructions that the generators emit and panics, with the line, on any other and on a stray access.
package interp

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
)

type kind byte

const (
	immediate kind = iota
	general        // 64-bit register
	vector         // X, Y or Z register
	mask           // K register
	memory         // address, or static data where symbol is set
	parameter      // slot of the frame
	label
)

// operand is one argument of an instruction, in Go's order: sources first.
type operand struct {
	kind   kind
	n      int // register number
	lanes  int // of a vector register, in float32 values
	value  int64
	base   int // of memory
	index  int // -1: none
	scale  int64
	symbol string
}

type instruction struct {
	text     string
	op       string
	suffix   string // BCST, Z
	args     []operand
	target   int // of a jump
	exec     func(*machine, *instruction)
	lane     func(x, y, old uint32) uint32
	wideLane func(x, y, old uint64) uint64
	shuffle  func(out, x, y *vec, imm int64, n int)
}

// Unit is one parsed assembly file.
type Unit struct {
	functions map[string][]instruction
	data      map[string][]byte
}

// Functions lists the names of the functions in the file, in no order.
func (u *Unit) Functions() []string {
	var names []string
	for name := range u.functions {
		names = append(names, name)
	}
	return names
}

// Load reads an assembly file.
func Load(path string) (*Unit, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("interp: %w", err)
	}
	u := &Unit{functions: map[string][]instruction{}, data: map[string][]byte{}}
	p := parser{unit: u}
	for i, line := range strings.Split(string(text), "\n") {
		if err := p.line(strings.TrimSpace(line)); err != nil {
			return nil, fmt.Errorf("interp: %s: line %d: %w", path, i+1, err)
		}
	}
	if err := p.flush(); err != nil {
		return nil, fmt.Errorf("interp: %s: %w", path, err)
	}
	return u, nil
}

type parser struct {
	unit   *Unit
	name   string
	code   []instruction
	labels map[string]int
}

var dataLine = regexp.MustCompile(`^DATA (\w+)<>\+(\d+)\(SB\)/(\d), \$(?:\(([^)]*)\)|(\w+))$`)

func (p *parser) line(s string) error {
	switch {
	case s == "" || s[0] == '#' || strings.HasPrefix(s, "//") || strings.HasPrefix(s, "GLOBL"):
	case strings.HasPrefix(s, "DATA"):
		return p.data(s)
	case strings.HasPrefix(s, "TEXT"):
		if err := p.flush(); err != nil {
			return err
		}
		_, rest, _ := strings.Cut(s, "·")
		p.name, _, _ = strings.Cut(rest, "(")
		p.labels = map[string]int{}
	case strings.HasSuffix(s, ":"):
		p.labels[s[:len(s)-1]] = len(p.code)
	default:
		return p.instruction(s)
	}
	return nil
}

func (p *parser) data(s string) error {
	m := dataLine.FindStringSubmatch(s)
	if m == nil {
		return fmt.Errorf("%q: unknown form of DATA", s)
	}
	off, _ := strconv.Atoi(m[2])
	n, _ := strconv.Atoi(m[3])
	v, err := strconv.ParseUint(m[5], 0, 64)
	if m[4] != "" {
		var f float64
		if f, err = strconv.ParseFloat(m[4], 64); n == 4 {
			v = uint64(math.Float32bits(float32(f)))
		} else {
			v = math.Float64bits(f)
		}
	}
	if err != nil {
		return fmt.Errorf("%q: %w", s, err)
	}
	d := p.unit.data[m[1]]
	d = append(d, make([]byte, max(0, off+n-len(d)))...)
	for i := range n {
		d[off+i] = byte(v >> (8 * i))
	}
	p.unit.data[m[1]] = d
	return nil
}

func (p *parser) instruction(s string) error {
	op, rest, _ := strings.Cut(s, " ")
	in := instruction{text: s}
	in.op, in.suffix, _ = strings.Cut(op, ".")
	if rest = strings.TrimSpace(rest); rest != "" {
		for _, a := range strings.Split(rest, ", ") {
			in.args = append(in.args, parseOperand(a))
		}
	}
	var ok bool
	if in.exec, ok = scalarOps[in.op]; !ok {
		in.lane, in.wideLane, in.shuffle = laneOps[in.op], wideOps[in.op], shuffleOps[in.op]
		if in.lane == nil && in.wideLane == nil && in.shuffle == nil {
			return fmt.Errorf("%q: unknown instruction; add it to package interp", s)
		}
		in.exec = (*machine).vectorOp
	}
	p.code = append(p.code, in)
	return nil
}

// flush ends a function: its labels become positions.
func (p *parser) flush() error {
	for i := range p.code {
		in := &p.code[i]
		if len(in.args) != 1 || in.args[0].kind != label {
			continue
		}
		at, ok := p.labels[in.args[0].symbol]
		if !ok {
			return fmt.Errorf("%s: %q: no such label", p.name, in.text)
		}
		in.target = at
	}
	if p.name != "" {
		p.unit.functions[p.name] = p.code
	}
	p.code = nil
	return nil
}

var (
	memoryForm    = regexp.MustCompile(`^(-?\d+)?\((\w+)\)(?:\((\w+)\*(\d)\))?$`)
	parameterForm = regexp.MustCompile(`^\w+\+(\d+)\(FP\)$`)
	symbolForm    = regexp.MustCompile(`^(\w+)<>\+(\d+)\(SB\)$`)
	registerForm  = regexp.MustCompile(`^([RXYZK])(\d+)$`)
	namedRegister = map[string]int{"AX": 0, "BX": 1, "CX": 2, "DX": 3, "SI": 4, "DI": 5, "BP": 6, "SP": 7}
)

func parseOperand(s string) operand {
	number := func(s string) int64 {
		v, _ := strconv.ParseInt(s, 10, 64)
		return v
	}
	if s[0] == '$' {
		v, err := strconv.ParseInt(s[1:], 0, 64)
		if err != nil {
			u, _ := strconv.ParseUint(s[1:], 0, 64)
			v = int64(u)
		}
		return operand{kind: immediate, value: v}
	}
	if m := parameterForm.FindStringSubmatch(s); m != nil {
		return operand{kind: parameter, value: number(m[1])}
	}
	if m := symbolForm.FindStringSubmatch(s); m != nil {
		return operand{kind: memory, symbol: m[1], value: number(m[2]), index: -1}
	}
	if m := memoryForm.FindStringSubmatch(s); m != nil {
		o := operand{kind: memory, value: number(m[1]), base: parseOperand(m[2]).n, index: -1}
		if m[3] != "" {
			o.index, o.scale = parseOperand(m[3]).n, number(m[4])
		}
		return o
	}
	if n, ok := namedRegister[s]; ok {
		return operand{kind: general, n: n}
	}
	if m := registerForm.FindStringSubmatch(s); m != nil {
		o := operand{n: int(number(m[2]))}
		switch m[1][0] {
		case 'R':
			o.kind = general
		case 'K':
			o.kind = mask
		default:
			o.kind, o.lanes = vector, 4<<(m[1][0]-'X')
		}
		return o
	}
	return operand{kind: label, symbol: s}
}
