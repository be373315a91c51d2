package synth

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"earshot/data/trace"
)

// The song study's own constants (2022).
const (
	segmentPeriod = 10 * time.Second
	segmentBytes  = 325_000 // "about 325 kB every 10 s": 260 kbit/s, the premium rate
	minUnit       = 80      // receive units: what the capture sees after receive offload
	maxUnit       = 22_469
)

// segmentSpread is the standard deviation of a segment's bytes over the mean. Of 32 freely licensed songs in the codec
// that the service uses, the first six 10 s segments spread by 0.9 to 12 % (median 4.3 %); generated songs stand at the
// upper end, so that 89 training captures are enough to see something.
const segmentSpread = 0.12

// Songs generates captures of a player that streams one of several songs: every 10 s one burst of about 325 kB, whose
// exact size is the only thing that tells the songs apart.
//
// The model. A capture has J = Duration/10 s segments. Segment j of song k carries S_j = 325 kB (1 + m_kj + sigma e_j)
// payload bytes down, e_j independent standard normal. The offsets m_k (the song's variable bit rate) form a regular
// simplex with edge sqrt(2) d sigma, each summing to zero over the segments, so that the total of a capture says
// nothing. Given S everything else (when a burst begins, how fast it comes, the receive units it is cut into, requests
// and acknowledgements) is drawn without regard to the song. So S is a sufficient statistic, and the best possible rule
// has accuracy SimplexAccuracy(Classes, d), which is Bayes. Rounding to bytes changes it by less than 1e-6.
//
// The knob trades song against noise: m and sigma are chosen so that a segment spreads by the same 12 % at every value
// of Bayes. At 1 the same song always has the same sizes; at 1/Classes all is noise.
//
// A rule that sees less than S, as every binning does whose steps cut bursts out of view, cannot do better than Bayes.
type Songs struct {
	Classes  int           // K songs, 2 <= K <= J
	PerClass int           // captures of each song
	Duration time.Duration // of a capture; whole segments only
	Bayes    float64       // accuracy of the best possible rule, 1/Classes to 1
	Jitter   time.Duration // standard deviation of a burst's beginning, cut at three
	Seed     uint64
}

// StudySongs is what the song study recorded: three songs, 37 captures each, 60 s. The best possible rule is right nine
// times in ten.
func StudySongs() Songs {
	return Songs{Classes: 3, PerClass: 37, Duration: time.Minute, Bayes: 0.9, Jitter: 60 * time.Millisecond, Seed: 1}
}

// Name is the label of a class: song_a, song_b, …
func (s Songs) Name(class int) string {
	if class < 26 {
		return "song_" + string(rune('a'+class))
	}
	return fmt.Sprintf("song_%03d", class)
}

// Segments is J, the number of bursts in a capture.
func (s Songs) Segments() int { return int(s.Duration / segmentPeriod) }

func (s Songs) check() error {
	j := s.Segments()
	switch {
	case s.Classes < 2 || s.PerClass < 0:
		return fmt.Errorf("synth: songs: %d classes with %d captures each; at least 2 classes are needed", s.Classes, s.PerClass)
	case s.Classes > j:
		return fmt.Errorf("synth: songs: %d classes in %v: the best accuracy is known for at most one class per %v segment; use at least %v",
			s.Classes, s.Duration, segmentPeriod, time.Duration(s.Classes)*segmentPeriod)
	case !(s.Bayes >= 1/float64(s.Classes)-1e-9 && s.Bayes <= 1):
		return fmt.Errorf("synth: songs: best accuracy %g; use %.3g (guessing) to 1", s.Bayes, 1/float64(s.Classes))
	case s.Jitter < 0 || s.Jitter > segmentPeriod/30:
		return fmt.Errorf("synth: songs: jitter %v; use 0 to %v, so that bursts stay apart", s.Jitter, segmentPeriod/30)
	}
	return nil
}

// Model returns the mean bytes of every segment of every song, (K, J), and the standard deviation around them.
func (s Songs) Model() (mean [][]float64, sigma float64) {
	k, j := s.Classes, s.Segments()
	d := SimplexDistance(k, s.Bayes)
	// The offsets' mean square over segments is (d sigma)^2 (1 - 1/K) / J; with sigma^2 it makes segmentSpread^2.
	share := (1 - 1/float64(k)) / float64(j)
	offset := segmentSpread / math.Sqrt(share) // d sigma at d = Inf
	if !math.IsInf(d, 1) {
		sigma = segmentSpread / math.Sqrt(1+d*d*share)
		offset = d * sigma
	}
	mean = make([][]float64, k)
	for c := range mean {
		mean[c] = make([]float64, j)
		for seg := range mean[c] {
			// Vertex c of the simplex, from K-1 rows of a K-point cosine basis, along as many slow waves of a J-point
			// one: smooth curves, as bit rates are, and none of them constant.
			v := 0.0
			for i := 1; i < k; i++ {
				v += cosine(i, c, k) * cosine(i, seg, j)
			}
			mean[c][seg] = segmentBytes * (1 + offset*v)
		}
	}
	return mean, segmentBytes * sigma
}

// cosine is entry (i, x) of the orthonormal cosine basis of n points, i >= 1.
func cosine(i, x, n int) float64 {
	return math.Sqrt(2/float64(n)) * math.Cos(math.Pi*float64(i)*(float64(x)+0.5)/float64(n))
}

// Generate hands every capture to f, one of each song in turn, as the study recorded them. It stops at f's first error
// and returns it. A capture depends on Seed, class and rep alone.
func (s Songs) Generate(f func(class, rep int, t *trace.Trace) error) error {
	if err := s.check(); err != nil {
		return err
	}
	mean, sigma := s.Model()
	for rep := range s.PerClass {
		for class := range s.Classes {
			if err := f(class, rep, s.capture(class, rep, mean[class], sigma)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s Songs) capture(class, rep int, mean []float64, sigma float64) *trace.Trace {
	var key [32]byte
	for i, v := range []uint64{s.Seed, uint64(class), uint64(rep), 0x736f6e6773} { // the last says which generator
		binary.LittleEndian.PutUint64(key[8*i:], v)
	}
	r := rand.New(rand.NewChaCha8(key))
	const firstDay = 1_651_363_200_000_000 // 1 May 2022, the study's month
	t := &trace.Trace{
		Start: firstDay + int64(rep*s.Classes+class)*70_000_000, // one player: 60 s of song, 10 s between
		Flows: []trace.Flow{{
			Client:   netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 10}), uint16(50_000+r.IntN(10_000))),
			Server:   netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, 20}), 443),
			Protocol: 17,
		}},
		Packets: make([]trace.Packet, 0, len(mean)*140),
	}
	jitter := s.Jitter.Seconds()
	for j, m := range mean {
		wobble := 0.0
		if j > 0 {
			wobble = jitter * max(-3, min(3, r.NormFloat64()))
		}
		at := float64(j)*segmentPeriod.Seconds() + wobble + 3*jitter
		addSegment(t, r, at, max(segmentBytes/10, m+sigma*r.NormFloat64()))
	}
	first := t.Packets[0].Time
	for i := range t.Packets {
		t.Packets[i].Time -= first
	}
	return t
}

// addSegment appends one request at time at (seconds) and the burst that answers it.
func addSegment(t *trace.Trace, r *rand.Rand, at, bytes float64) {
	clock := at * 1e6
	add(t, clock, trace.Up, 90+r.IntN(300)) // request
	clock += 15_000 + 20_000*r.Float64()    // round trip
	usPerByte := 8 / (20 + 40*r.Float64())  // 20 to 60 Mbit/s
	for i, n := range units(r, int(math.Round(bytes))) {
		add(t, clock, trace.Down, n)
		if i%2 == 1 {
			add(t, clock, trace.Up, 28+r.IntN(12)) // acknowledgement
		}
		clock += float64(n) * usPerByte
	}
}

// units cuts bytes into receive units of minUnit to maxUnit, their sizes spread evenly over the orders of magnitude.
func units(r *rand.Rand, bytes int) []int {
	var out []int
	for bytes > maxUnit {
		n := min(maxUnit, int(minUnit*math.Pow(float64(maxUnit)/minUnit, r.Float64())))
		if bytes-n < minUnit {
			continue // the rest would be too small: draw again
		}
		out, bytes = append(out, n), bytes-n
	}
	return slices.Clip(append(out, bytes))
}

// add appends one QUIC datagram (UDP over IPv4 over Ethernet); super-MTU sizes are what receive offload leaves.
func add(t *trace.Trace, clockUS float64, d trace.Direction, payload int) {
	t.Packets = append(t.Packets, trace.Packet{
		Time: int64(clockUS), Direction: d, Protocol: 17,
		PayloadBytes: int32(payload), IPBytes: int32(payload + 28), FrameBytes: int32(payload + 42),
		WindowScale: -1,
	})
}
