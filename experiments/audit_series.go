package experiments

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"math"
	"slices"

	"earshot/data/dataset"
)

// seriesAuditIntro says what the section of an archive's report is.
const seriesAuditIntro = "Made from the data before anything was trained, for each data set's official split: is a test series among the training series, as it is or but for level, scale and rounding, and does anything beside its shape give the class away? Nothing is fitted on test series: normalization looks at each series alone, or at those of training. Severe findings change what the accuracies on that data set mean; info is to know. The rules are fixed and those of earshot data audit."

// sameShape is the largest difference, at any step of any channel, between two series of one shape, in standard deviations
// of the channel. Rounding normalized values to two decimals makes half of it; the nearest independent series of the
// archive's smooth problems are four times as far apart.
const sameShape = 0.02

// seriesWords are those of an audit of series.
var seriesWords = auditWords{
	many: "series", test: "test series",
	equal:       "have the same values as a training series",
	like:        "are a training series but for level, scale and rounding (within 0.02 standard deviations at every step)",
	equalWithin: "%d pairs of series on the same side have the same values%s: they count twice",
	probes: map[string]string{
		ProbeLength: "how long it stays at its first and its last value alone",
		ProbeTotals: "mean and standard deviation of each channel alone",
	},
}

// seriesProbes are the probes that series have. Those of one data set have equal lengths, but what was filled up to them
// ends in values that repeat.
var seriesProbes = []auditProber{
	{ProbeLength, "no steps", func(*auditRow) bool { return true }, fixedColumns(func(r *auditRow) []float64 { return r.still })},
	{ProbeTotals, "no steps", func(*auditRow) bool { return true }, fixedColumns(func(r *auditRow) []float64 { return r.levels })},
}

// auditProblems are the audits of the data sets of an archive.
func (s *source) auditProblems(threads int) ([]*AuditResult, error) {
	audits := []*AuditResult{}
	for _, p := range s.problems {
		r, err := p.auditSeries(AuditOptions{Seed: s.study.Seeds[0], Threads: threads}, p.official())
		if err != nil {
			return nil, err
		}
		audits = append(audits, r)
	}
	return audits, nil
}

// auditSeries is Audit of one data set of an archive, of its official split. What differs from captures:
//
//	duplicate       the same values: severe from 1 % of the test series on, else warn; on one side only: info
//	near_duplicate  equal but for level, positive scale and rounding, channel by channel, see sameShape: warn from 1 % of the
//	                test series on, else info. Series without a change in any channel have no shape to compare
//	length          by the steps for which a series stays at its first and at its last value, which filling up leaves
//	totals          by mean and standard deviation of each channel: info
//
// Clock, addresses, ports, sessions and groups are not there to be looked at, and no normalization of a network can be
// fitted on test series.
func (s *source) auditSeries(o AuditOptions, split Split) (*AuditResult, error) {
	a := &auditor{AuditOptions: o, label: s.study.Label, k: len(s.study.Classes), words: seriesWords, probers: seriesProbes}
	for i, c := range s.captures {
		row := auditRow{Capture: dataset.Capture{ID: c.ID, Source: c.Source}, class: c.Class, levels: s.levels(i)}
		h := sha256.New()
		_ = binary.Write(h, binary.LittleEndian, s.tensor.Row(i)) // a hash takes everything
		row.Digest = hex.EncodeToString(h.Sum(nil))
		row.normalize(s.tensor.Row(i), s.tensor.C)
		a.rows = append(a.rows, row)
	}
	r, err := a.audit(split.Train, split.Test)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{ProbeAddress, ProbePort, ProbeTime, ProbeSession} {
		r.Absent = append(r.Absent, AuditAbsent{name, "series have none"})
	}
	r.Absent = append(r.Absent, AuditAbsent{"groups", "an archive does not say which series were recorded together"})
	r.Spec, r.Split = "official", s.dataset
	return r, nil
}

// normalize keeps the shape of the series x of so many channels, and the steps at its ends without a change.
func (r *auditRow) normalize(x []float32, channels int) {
	steps := len(x) / channels
	z := make([]float32, len(x))
	moves := false
	for c := range channels {
		v, out := x[c*steps:(c+1)*steps], z[c*steps:]
		mean, square := 0.0, 0.0
		for _, y := range v {
			mean += float64(y) / float64(steps)
		}
		for _, y := range v {
			square += (float64(y) - mean) * (float64(y) - mean) / float64(steps)
		}
		if sd := math.Sqrt(square); sd > 1e-6*math.Abs(mean) { // else rounding
			moves = true
			for i, y := range v {
				out[i] = float32((float64(y) - mean) / sd)
			}
		}
		first, last := 1, 1
		for first < steps && v[first] == v[0] {
			first++
		}
		for last < steps && v[steps-1-last] == v[steps-1] {
			last++
		}
		r.still = append(r.still, float64(first), float64(last))
	}
	if moves {
		r.z = z
	}
}

// alike finds for each test series the nearest training series of its shape, other than with the same values: pairs of
// rows in their order.
func (a *auditor) alike() (out [][2]int) {
	var rows []int
	for i, r := range a.rows {
		if r.z != nil && r.side != noSide {
			rows = append(rows, i)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	at := widest(a.rows, rows)
	key := func(i int) float32 { return a.rows[i].z[at] }
	slices.SortStableFunc(rows, func(i, j int) int { return cmp.Compare(key(i), key(j)) })
	type near struct {
		row int
		far float32
	}
	best := map[int]near{} // by test series
	for n, i := range rows {
		for _, j := range rows[n+1:] {
			if key(j)-key(i) > sameShape {
				break
			}
			x, y := &a.rows[i], &a.rows[j]
			if x.side == y.side || x.Digest == y.Digest {
				continue
			}
			far, ok := distance(x.z, y.z)
			if !ok {
				continue
			}
			of, other := i, j
			if x.side == trainSide {
				of, other = j, i
			}
			if b, known := best[of]; !known || far < b.far || far == b.far && other < b.row {
				best[of] = near{other, far}
			}
		}
	}
	for _, i := range slices.Sorted(maps.Keys(best)) {
		out = append(out, [2]int{i, best[i].row})
	}
	return out
}

// widest is the value of the series in which they differ most: the one to sort them by.
func widest(rows []auditRow, of []int) (at int) {
	most := -1.0
	for t := range rows[of[0]].z {
		sum, square := 0.0, 0.0
		for _, i := range of {
			v := float64(rows[i].z[t])
			sum, square = sum+v, square+v*v
		}
		if n := float64(len(of)); square/n-sum/n*sum/n > most {
			most, at = square/n-sum/n*sum/n, t
		}
	}
	return at
}

// distance is the largest difference of two series of one shape; false for others.
func distance(x, y []float32) (most float32, ok bool) {
	for i, v := range x {
		d := v - y[i]
		if d < 0 {
			d = -d
		}
		if d > sameShape {
			return 0, false
		}
		most = max(most, d)
	}
	return most, true
}
