package synth

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"time"

	"earshot/data/trace"
)

// The smart-speaker study's shape (2018): six classes of requests, 130 captures each.
var requestClasses = []string{"directions", "information", "music", "quotes", "unintelligible", "weather"}

// What an answer looks like on average. Each of the five numbers is what one field of a connection says exactly: unique
// bytes, window advertised, packets with data, time from first to last of them, longest silence.
const (
	answerBytes   = 120_000
	answerWindow  = 20_000 // bytes; constant over a capture
	answerPackets = 200
	answerTime    = 3.0  // s
	answerSilence = 0.6  // s
	answerSpread  = 0.08 // standard deviation of each over its mean
	answerPauses  = 12   // one of them is the longest
	fullSegment   = 1448
	fullShare     = 5 // one in five segments is full
)

// Requests generates captures of a smart speaker that asks its service: a request up, then an answer down in bursts over
// one TCP connection that was open before, with window advertisements, acknowledgements and a few retransmissions.
//
// The model. An answer has K-1 numbers S_i = S_i0 (1 + m_ki + sigma e_i), e_i independent standard normal: its payload,
// the window it advertises, its packets, its duration and its longest silence, as many as K classes need. The offsets m_k form a
// regular simplex with edge sqrt(2) d sigma. Given S everything else is drawn without regard to class, command or group. So S is a
// sufficient statistic, and the best possible rule has accuracy SimplexAccuracy(Classes, d), which is Bayes; a table of
// features that holds the five fields can reach it, one that lacks some cannot. Rounding packets to whole numbers takes
// off less than 0.1 %. The knob trades class against noise at the same spread of 8 %, as Songs does.
//
// Captures are labelled with class, command (Repeats captures in a row are one command) and group (odd and even captures
// of a class). Neither means anything here: every kind of split has the same answer.
type Requests struct {
	Classes  int     `json:"classes"`   // K, 2 to 6
	PerClass int     `json:"per_class"` // captures of each class
	Repeats  int     `json:"repeats"`   // captures of each command
	Bayes    float64 `json:"bayes"`     // accuracy of the best possible rule, 1/Classes to 1
	Seed     uint64  `json:"seed"`
}

// StudyRequests is what the smart-speaker study recorded, six classes of 130; the best possible rule is right 95 times in
// a hundred.
func StudyRequests() Requests {
	return Requests{Classes: 6, PerClass: 130, Repeats: 5, Bayes: 0.95, Seed: 1}
}

// Name is the label of a class.
func (r Requests) Name(class int) string { return requestClasses[class] }

// Command is the label of what was asked; it names its class's captures rep in runs of Repeats.
func (r Requests) Command(class, rep int) string {
	return fmt.Sprintf("%s %03d", r.Name(class), rep/max(1, r.Repeats))
}

func (r Requests) check() error {
	switch {
	case r.Classes < 2 || r.Classes > len(requestClasses) || r.PerClass < 0:
		return fmt.Errorf("synth: requests: %d classes with %d captures each; use 2 to %d classes", r.Classes, r.PerClass, len(requestClasses))
	case !(r.Bayes >= 1/float64(r.Classes)-1e-9 && r.Bayes <= 1):
		return fmt.Errorf("synth: requests: best accuracy %g; use %.3g (guessing) to 1", r.Bayes, 1/float64(r.Classes))
	}
	return nil
}

// Model returns the offsets m_ki, (K, K-1), and sigma, both relative to the mean.
func (r Requests) Model() (offset [][]float64, sigma float64) {
	k := r.Classes
	d := SimplexDistance(k, r.Bayes)
	// A coordinate's mean square over the classes is 1/K for vertices of unit edge/sqrt(2).
	scale := answerSpread * math.Sqrt(float64(k)) // d sigma at d = Inf
	if !math.IsInf(d, 1) {
		sigma = answerSpread / math.Sqrt(1+d*d/float64(k))
		scale = d * sigma
	}
	offset = make([][]float64, k)
	for c := range offset {
		for i := 1; i < k; i++ {
			offset[c] = append(offset[c], scale*cosine(i, c, k))
		}
	}
	return offset, sigma
}

// Generate hands every capture to f, one of each class in turn. It stops at f's first error and returns it. A capture
// depends on Seed, class and rep alone.
func (r Requests) Generate(f func(class, rep int, t *trace.Trace) error) error {
	if err := r.check(); err != nil {
		return err
	}
	offset, sigma := r.Model()
	for rep := range r.PerClass {
		for class := range r.Classes {
			if err := f(class, rep, r.capture(class, rep, offset[class], sigma)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r Requests) capture(class, rep int, offset []float64, sigma float64) *trace.Trace {
	var key [32]byte
	for i, v := range []uint64{r.Seed, uint64(class), uint64(rep), 0x72657175657374} { // the last says which generator
		binary.LittleEndian.PutUint64(key[8*i:], v)
	}
	rng := rand.New(rand.NewChaCha8(key))
	s := [5]float64{1, 1, 1, 1, 1}
	for i, m := range offset {
		s[i] += m + sigma*max(-5, min(5, rng.NormFloat64()))
	}
	const firstDay = 1_519_862_400_000_000 // 1 March 2018
	c := &conversation{rng: rng, window: uint16(math.Round(answerWindow * s[1])), trace: &trace.Trace{
		Start: firstDay + int64(rep*r.Classes+class)*30*time.Second.Microseconds(),
		Flows: []trace.Flow{{
			Client:   netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 20}), uint16(40_000+rng.IntN(20_000))),
			Server:   netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, 30}), 443),
			Protocol: 6,
		}},
	}}
	c.up.seq, c.down.seq = rng.Uint32(), rng.Uint32()
	c.request()
	c.answer(int(math.Round(answerBytes*s[0])), int(math.Round(answerPackets*s[2])), answerTime*s[3], answerSilence*s[4])
	return c.trace
}

// conversation is a TCP connection in the making.
type conversation struct {
	rng      *rand.Rand
	trace    *trace.Trace
	clock    float64 // s
	window   uint16  // that the service advertises
	up, down struct{ seq uint32 }
}

// send appends a segment; one of the other side's numbers is acknowledged.
func (c *conversation) send(d trace.Direction, payload int) {
	from, to, window := &c.up, &c.down, uint16(6_000)
	if d == trace.Down {
		from, to, window = &c.down, &c.up, c.window
	}
	c.put(d, payload, from.seq, to.seq, window)
	from.seq += uint32(payload)
}

func (c *conversation) put(d trace.Direction, payload int, seq, ack uint32, window uint16) {
	flags := trace.ACK
	if payload > 0 && payload < fullSegment {
		flags |= trace.PSH
	}
	c.trace.Packets = append(c.trace.Packets, trace.Packet{
		Time: int64(c.clock * 1e6), Direction: d, Protocol: 6,
		PayloadBytes: int32(payload), IPBytes: int32(payload + 40), FrameBytes: int32(payload + 54),
		TCPFlags: flags, TCPSeq: seq, TCPAck: ack, TCPWindow: window, WindowScale: -1,
	})
}

// request is what the speaker sends: about a second of speech, acknowledged every other segment.
func (c *conversation) request() {
	for i := range 20 + c.rng.IntN(20) {
		c.send(trace.Up, 1100+c.rng.IntN(fullSegment-1100))
		c.clock += 0.01 + 0.02*c.rng.Float64()
		if i%2 == 1 {
			c.send(trace.Down, 0)
		}
	}
	c.clock += 0.1
}

// answer sends bytes in packets over the given seconds, in bursts between pauses, the longest of which is silence.
func (c *conversation) answer(bytes, packets int, seconds, silence float64) {
	sizes := c.segments(bytes, packets)
	// Pauses are at random places; the others share what the longest and the bursts leave of the time, so none of them
	// comes near it.
	const within = 0.0005 // s between two packets of a burst
	others := (seconds - silence - within*float64(packets-1-answerPauses)) / (answerPauses - 1)
	pause := map[int]float64{}
	for i, at := range c.rng.Perm(packets - 1)[:answerPauses] {
		pause[at] = others
		if i == 0 {
			pause[at] = silence
		}
	}
	for i, n := range sizes {
		seq := c.down.seq
		c.send(trace.Down, n)
		if c.rng.IntN(100) == 0 && i < packets-1 { // sent twice
			c.put(trace.Down, n, seq, c.up.seq, c.window)
		}
		if i%2 == 1 {
			c.send(trace.Up, 0)
		}
		if p, ok := pause[i]; ok {
			c.clock += p
		} else {
			c.clock += within
		}
	}
}

// segments cuts bytes into packets: one in five full, the others about as large as each other.
func (c *conversation) segments(bytes, packets int) []int {
	sizes := make([]int, packets)
	left, small := bytes, 0
	for i, at := range c.rng.Perm(packets) {
		if i < packets/fullShare {
			sizes[at] = fullSegment
			left -= fullSegment
		}
	}
	for _, n := range sizes {
		if n == 0 {
			small++
		}
	}
	for i, n := range sizes {
		if n != 0 {
			continue
		}
		size := float64(left) / float64(small)
		if small > 1 {
			size *= 0.7 + 0.6*c.rng.Float64()
		}
		sizes[i] = max(1, min(fullSegment-1, int(math.Round(size))))
		left -= sizes[i]
		small--
	}
	return sizes
}
