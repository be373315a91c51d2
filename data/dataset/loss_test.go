package dataset

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"earshot/data/binning"
	"earshot/data/trace"
)

func TestLose(t *testing.T) {
	const packets = 20000
	dir := filepath.Join(t.TempDir(), "set")
	w, err := Create(dir, Manifest{Axes: []string{"song"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		tr := new(trace.Trace)
		for k := range int64(packets) {
			tr.Packets = append(tr.Packets, trace.Packet{Time: k * (1000 + int64(i)), Direction: trace.Down, PayloadBytes: 1})
		}
		if err := w.Add(Capture{Source: fmt.Sprint(i), Labels: map[string]string{"song": fmt.Sprint(i)}}, tr); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	c := binning.Default()
	rows := func(share float64, seed uint64) ([]float32, string) {
		s, err := Open(dir)
		if err == nil {
			err = s.Lose(share, seed)
		}
		if err != nil {
			t.Fatal(err)
		}
		x, err := Bin(s, "song", nil, c)
		if err != nil {
			t.Fatal(err)
		}
		one, err := s.Trace(1)
		if err != nil {
			t.Fatal(err)
		}
		sum := float32(0)
		for _, v := range x.Row(1) {
			sum += v
		}
		if int(sum) != len(one.Packets) {
			t.Errorf("the series has %v bytes, the capture %d packets of one", sum, len(one.Packets))
		}
		return x.X, s.Digest()
	}
	all, digest := rows(0, 1)
	lossy, lossyDigest := rows(0.25, 1)
	again, sameDigest := rows(0.25, 1)
	other, otherDigest := rows(0.25, 2)
	if !slices.Equal(lossy, again) || slices.Equal(lossy, other) || slices.Equal(lossy[:len(lossy)/2], lossy[len(lossy)/2:]) {
		t.Error("what is lost does not follow from capture and seed")
	}
	if digest == lossyDigest || lossyDigest != sameDigest || lossyDigest == otherDigest {
		t.Error("the digest does not say what is lost")
	}
	sum := func(x []float32) (n float64) {
		for _, v := range x {
			n += float64(v)
		}
		return n
	}
	if sd := math.Sqrt(2 * packets * 0.25 * 0.75); math.Abs(sum(all)*0.75-sum(lossy)) > 5*sd || sum(all) != 2*packets {
		t.Errorf("%v of %v packets are left", sum(lossy), sum(all))
	}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, share := range []float64{-0.1, 1, math.NaN()} {
		if err := s.Lose(share, 1); err == nil || !strings.Contains(err.Error(), "from 0 to less than 1") {
			t.Errorf("loss %g: %v", share, err)
		}
	}
}
