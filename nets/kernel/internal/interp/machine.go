package interp

import (
	"fmt"
	"math"
	"reflect"
	"unsafe"
)

// vec is a vector register: 16 lanes of 32 bits, of which Y uses eight and X four.
type vec [16]uint32

// span is the memory of one slice.
type span struct {
	base unsafe.Pointer
	size uintptr
}

// machine is the state of one call.
type machine struct {
	general [16]int64
	vectors [32]vec
	masks   [8]uint64
	flags   int64 // the signed result that conditional jumps look at
	frame   []byte
	allowed []span // the memory of the slices passed
	unit    *Unit
	pc      int
	done    bool
}

// Run calls the function with the arguments of its Go declaration: integers, float32, and slices where it takes a
// pointer. A slice gives the address of its first value, and its values are memory that the function may touch; nil is
// a null pointer. Stray accesses and unknown functions panic.
func (u *Unit) Run(name string, args ...any) { u.RunIn(nil, name, args...) }

// RunIn is Run for a caller that has bare pointers: they may be arguments too, and the slices in memory are what the
// function may touch, beside the slices among the arguments.
func (u *Unit) RunIn(memory []any, name string, args ...any) {
	code, ok := u.functions[name]
	if !ok {
		panic("interp: no function " + name)
	}
	m := &machine{unit: u}
	for _, s := range memory {
		m.allow(reflect.ValueOf(s))
	}
	for _, a := range args {
		m.push(name, a)
	}
	for ; !m.done; m.pc++ {
		if m.pc >= len(code) {
			panic(fmt.Sprintf("interp: %s: ran past its end", name))
		}
		code[m.pc].exec(m, &code[m.pc])
	}
}

// push lays an argument out as Go's stack convention does: at a multiple of its size.
func (m *machine) push(name string, a any) {
	put := func(v uint64, size int) {
		for len(m.frame)%size != 0 {
			m.frame = append(m.frame, 0)
		}
		for i := range size {
			m.frame = append(m.frame, byte(v>>(8*i)))
		}
	}
	switch v := a.(type) {
	case nil:
		put(0, 8)
	case float32:
		put(uint64(math.Float32bits(v)), 4)
	case float64:
		put(math.Float64bits(v), 8)
	case int:
		put(uint64(v), 8)
	case uint64:
		put(v, 8)
	case uintptr:
		put(uint64(v), 8)
	default:
		r := reflect.ValueOf(a)
		switch r.Kind() {
		case reflect.Slice:
			m.allow(r)
		case reflect.Pointer:
		default:
			panic(fmt.Sprintf("interp: %s: argument of type %T", name, a))
		}
		put(uint64(r.Pointer()), 8)
	}
}

// allow makes a slice memory that the function may touch.
func (m *machine) allow(s reflect.Value) {
	m.allowed = append(m.allowed, span{s.UnsafePointer(), uintptr(s.Len()) * s.Type().Elem().Size()})
}

// address is where n bytes of a memory operand lie; it panics where they lie outside every slice.
func (m *machine) address(o operand, n uintptr, in *instruction) unsafe.Pointer {
	if o.symbol != "" {
		d := m.unit.data[o.symbol]
		if int(o.value)+int(n) > len(d) {
			panic(fmt.Sprintf("interp: %s: outside the data", in.text))
		}
		return unsafe.Pointer(&d[o.value])
	}
	at := m.effective(o)
	for i, r := range m.allowed {
		if off := uintptr(at) - uintptr(r.base); off < r.size && off+n <= r.size {
			m.allowed[0], m.allowed[i] = r, m.allowed[0] // the next access is likely to be near
			return unsafe.Add(r.base, off)
		}
	}
	panic(fmt.Sprintf("interp: %s: access of %d bytes at %#x is outside every slice", in.text, n, at))
}

// effective is the address that a memory operand names.
func (m *machine) effective(o operand) int64 {
	at := m.general[o.base] + o.value
	if o.index >= 0 {
		at += m.general[o.index] * o.scale
	}
	return at
}

// parameter reads size bytes of the frame.
func (m *machine) parameter(o operand, size int) (v uint64) {
	for i := size - 1; i >= 0; i-- {
		v = v<<8 | uint64(m.frame[int(o.value)+i])
	}
	return v
}

// integer reads a 64-bit source.
func (m *machine) integer(o operand, in *instruction) int64 {
	switch o.kind {
	case immediate:
		return o.value
	case parameter:
		return int64(m.parameter(o, 8))
	case memory:
		return *(*int64)(m.address(o, 8, in))
	}
	return m.general[o.n]
}

// update writes f(destination, source) to the last operand and sets the flags by it.
func update(f func(dst, src int64) int64) func(*machine, *instruction) {
	return func(m *machine, in *instruction) {
		d := &m.general[in.args[len(in.args)-1].n]
		var src int64
		if len(in.args) > 1 {
			src = m.integer(in.args[0], in)
		}
		*d = f(*d, src)
		m.flags = *d
	}
}

// jump continues at the target where the flags say so.
func jump(when func(flags int64) bool) func(*machine, *instruction) {
	return func(m *machine, in *instruction) {
		if when(m.flags) {
			m.pc = in.target - 1
		}
	}
}

func nothing(*machine, *instruction) {}

// scalarOps are the instructions on general registers and masks.
var scalarOps = map[string]func(*machine, *instruction){
	"RET":         func(m *machine, _ *instruction) { m.done = true },
	"VZEROUPPER":  nothing,
	"SFENCE":      nothing,
	"PREFETCHT0":  nothing,
	"PREFETCHT1":  nothing,
	"PREFETCHNTA": nothing,
	"MOVQ": func(m *machine, in *instruction) {
		v, dst := m.integer(in.args[0], in), in.args[1]
		if dst.kind == memory {
			*(*int64)(m.address(dst, 8, in)) = v
			return
		}
		m.general[dst.n] = v
	},
	"LEAQ": func(m *machine, in *instruction) { m.general[in.args[1].n] = m.effective(in.args[0]) },
	"IMUL3Q": func(m *machine, in *instruction) {
		m.general[in.args[2].n] = in.args[0].value * m.integer(in.args[1], in)
	},
	"BZHIQ": func(m *machine, in *instruction) { // the low bits, as many as the first operand says
		m.general[in.args[2].n] = m.integer(in.args[1], in) & (1<<uint(m.integer(in.args[0], in)) - 1)
	},
	"IMULQ": update(func(d, s int64) int64 { return d * s }),
	"ADDQ":  update(func(d, s int64) int64 { return d + s }),
	"SUBQ":  update(func(d, s int64) int64 { return d - s }),
	"ANDQ":  update(func(d, s int64) int64 { return d & s }),
	"ORQ":   update(func(d, s int64) int64 { return d | s }),
	"XORQ":  update(func(d, s int64) int64 { return d ^ s }),
	"SHLQ":  update(func(d, s int64) int64 { return d << uint(s) }),
	"SHRQ":  update(func(d, s int64) int64 { return int64(uint64(d) >> uint(s)) }),
	"INCQ":  update(func(d, _ int64) int64 { return d + 1 }),
	"DECQ":  update(func(d, _ int64) int64 { return d - 1 }),
	"NEGQ":  update(func(d, _ int64) int64 { return -d }),
	"TESTQ": func(m *machine, in *instruction) { m.flags = m.integer(in.args[0], in) & m.integer(in.args[1], in) },
	"CMPQ":  func(m *machine, in *instruction) { m.flags = m.integer(in.args[0], in) - m.integer(in.args[1], in) },
	"JMP":   jump(func(int64) bool { return true }),
	"JE":    jump(func(f int64) bool { return f == 0 }),
	"JEQ":   jump(func(f int64) bool { return f == 0 }),
	"JNE":   jump(func(f int64) bool { return f != 0 }),
	"JL":    jump(func(f int64) bool { return f < 0 }),
	"JLT":   jump(func(f int64) bool { return f < 0 }),
	"JLE":   jump(func(f int64) bool { return f <= 0 }),
	"JG":    jump(func(f int64) bool { return f > 0 }),
	"JGT":   jump(func(f int64) bool { return f > 0 }),
	"JGE":   jump(func(f int64) bool { return f >= 0 }),
	"KMOVW": func(m *machine, in *instruction) { m.masks[in.args[1].n] = uint64(uint16(m.general[in.args[0].n])) },
	"MOVSS": func(m *machine, in *instruction) {
		m.vectors[in.args[1].n] = vec{uint32(m.parameter(in.args[0], 4))}
	},
	"MOVSD": func(m *machine, in *instruction) {
		v := m.parameter(in.args[0], 8)
		m.vectors[in.args[1].n] = vec{uint32(v), uint32(v >> 32)}
	},
}
