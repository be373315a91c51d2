package experiments

import (
	"fmt"
	"strings"
)

// notable is the share of the test captures from which traffic on both sides moves the accuracy by a point.
const notable = 0.01

// auditWords are how an audit speaks of what it looks at.
type auditWords struct {
	many, test  string // captures, test captures
	equal       string // what the ones on both sides have in common
	same        string
	like        string
	equalWithin string // a format: of pairs on one side, and what the first has in common
	probes      map[string]string
}

var captureWords = auditWords{
	many: "captures", test: "test captures",
	equal:       "have the same packets at the same times as a training capture",
	same:        "hold the same packets as a training capture in another form (other clock, other sizes, or a part of it)",
	like:        "share long runs of payload sizes with a training capture",
	equalWithin: "%d pairs of captures on the same side hold the same packets%s: they count twice",
	probes:      probeWords,
}

// twins finds traffic that is in the data more than once.
func (a *auditor) twins(r *AuditResult) {
	kind := func() *pairs { return &pairs{rows: a.rows, words: a.words, test: map[int]bool{}} }
	equal, same, like := kind(), kind(), kind()
	known := map[[2]int]bool{}
	a.equal(func(c *auditRow) string { return c.Digest }, func(i, j int) { known[[2]int{i, j}] = true; equal.add(i, j, "") })
	for _, k := range a.kins {
		i, j := int(k.a), int(k.b)
		switch p := [2]int{i, j}; {
		case known[p] || a.rows[i].side == noSide || a.rows[j].side == noSide:
		case k.same():
			known[p] = true
			same.add(i, j, fmt.Sprintf("%d of %d rare runs of sizes at one offset of %.3f s", k.aligned, k.of, float64(k.offset)/1e6))
		case k.alike():
			known[p] = true
			like.add(i, j, fmt.Sprintf("%d of %d rare runs of sizes", k.shared, k.of))
		}
	}
	a.equal(func(c *auditRow) string { return c.NearDigest }, func(i, j int) {
		if p := [2]int{i, j}; !known[p] {
			known[p] = true
			like.add(i, j, "the same first 100 payload sizes")
		}
	})
	for _, p := range a.alike() {
		like.add(p[0], p[1], "")
	}
	equal.report(r, LeakDuplicate, SeveritySevere, SeverityWarn, a.words.equal)
	same.report(r, LeakDuplicate, SeveritySevere, SeverityWarn, a.words.same)
	like.report(r, LeakNearDuplicate, SeverityWarn, SeverityInfo, a.words.like)
	if n := len(equal.within) + len(same.within); n > 0 {
		classes := ""
		if other := equal.withinOther + same.withinOther; other > 0 {
			classes = fmt.Sprintf("; %d of them have two different labels", other)
		}
		examples, how := same.within, same.withinHow
		if len(equal.within) > 0 {
			examples, how = equal.within, equal.withinHow
		}
		r.find(LeakDuplicate, "", SeverityInfo, a.sources(examples), a.words.equalWithin+"%s", n, how, classes)
	}
	if a.Marked > 0 {
		r.find(LeakDuplicate, "", SeverityInfo, nil, "%d captures of these classes repeat another one; the data set marks them, and they are on neither side", a.Marked)
	}
}

// equal calls f with each capture that has the same key as an earlier one, and that one; with two pairs where a key is on
// both sides, so that each side's first is compared with each.
func (a *auditor) equal(key func(*auditRow) string, f func(i, j int)) {
	first := map[string][testSide + 1]int{} // row plus 1
	for j := range a.rows {
		k := key(&a.rows[j])
		if k == "" || a.rows[j].side == noSide {
			continue
		}
		at := first[k]
		for _, i := range at {
			if i > 0 {
				f(i-1, j)
			}
		}
		if s := a.rows[j].side; at[s] == 0 {
			at[s] = j + 1
			first[k] = at
		}
	}
}

// pairs of captures, told apart by the sides that they lie on.
type pairs struct {
	rows        []auditRow
	words       auditWords
	across      [][2]int // test, training
	within      [][2]int
	test        map[int]bool // test captures in across
	other       int          // of across: pairs with different classes
	withinOther int          // of within
	how         string       // what the first pair of each has in common
	withinHow   string
}

func (p *pairs) add(i, j int, how string) {
	differ := 0
	if p.rows[i].class != p.rows[j].class {
		differ = 1
	}
	if p.rows[i].side == p.rows[j].side {
		p.withinOther += differ
		if p.within = append(p.within, [2]int{i, j}); p.withinHow == "" && how != "" {
			p.withinHow = " (the first: " + how + ")"
		}
		return
	}
	if p.rows[j].side == testSide {
		i, j = j, i
	}
	if p.across = append(p.across, [2]int{i, j}); p.how == "" && how != "" {
		p.how = " (the first: " + how + ")"
	}
	p.test[i] = true
	p.other += differ
}

// exampleCount is the number of pairs that a finding names.
const exampleCount = 5

func (a *auditor) sources(ps [][2]int) (out [][2]string) {
	for _, p := range ps[:min(len(ps), exampleCount)] {
		out = append(out, [2]string{a.rows[p[0]].Source, a.rows[p[1]].Source})
	}
	return out
}

func (p *pairs) report(r *AuditResult, kind, many, few, what string) {
	if len(p.across) == 0 {
		return
	}
	severity := few
	if float64(len(p.test)) >= notable*float64(r.NTest) {
		severity = many
	}
	var s strings.Builder
	fmt.Fprintf(&s, "%d of %d %s %s%s", len(p.test), r.NTest, p.words.test, what, p.how)
	if p.other > 0 {
		fmt.Fprintf(&s, "; %d of %d pairs have two different labels", p.other, len(p.across))
	}
	r.find(kind, "", severity, (&auditor{rows: p.rows}).sources(p.across), "%s", s.String())
}
