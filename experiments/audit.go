package experiments

import (
	"cmp"
	"fmt"
	"slices"

	"earshot/data/dataset"
	"earshot/data/trace"
	"earshot/train/metrics"
)

// Kinds of AuditFinding.
const (
	LeakDuplicate     = "duplicate"      // the same packets on both sides of a split
	LeakNearDuplicate = "near_duplicate" // the same sizes on both sides
	LeakGroup         = "group"          // captures of one day, session, command on both sides
	LeakTime          = "time"           // the time of the capture names the class
	LeakLength        = "length"         // its duration or its totals do
	LeakAddress       = "address"
	LeakPort          = "port"
	LeakSession       = "session" // what a TCP connection begins with does
	LeakFitted        = "fitted_on_test"
	LeakKnown         = "known_others" // of an open world: whether others of the test captures were seen in training; no leak
)

var leakKinds = []string{LeakDuplicate, LeakNearDuplicate, LeakGroup, LeakTime, LeakFitted, LeakLength, LeakAddress, LeakPort, LeakSession, LeakKnown}

// Severities of AuditFinding.
const (
	SeverityInfo   = "info"   // to know
	SeverityWarn   = "warn"   // to say beside the numbers
	SeveritySevere = "severe" // the accuracy on this split means something else than it says
)

var severities = []string{SeveritySevere, SeverityWarn, SeverityInfo}

// AuditResult is what Audit found in one split. Its JSON is the contract of `earshot data audit --json`.
type AuditResult struct {
	Label    string         `json:"label"`
	Classes  int            `json:"classes"`
	Spec     string         `json:"spec,omitempty"` // how the split was drawn: stratified:5
	Split    string         `json:"split"`          // which one: stratified-1
	NTrain   int            `json:"n_train"`
	NTest    int            `json:"n_test"`
	Findings []AuditFinding `json:"findings"`
	Probes   []AuditProbe   `json:"probes"`
	Groups   []AuditGroup   `json:"groups"`
	Absent   []AuditAbsent  `json:"absent"` // what could not be looked at
}

// AuditFinding is one way in which a split may give its answers away.
type AuditFinding struct {
	Kind     string      `json:"kind"`
	Axis     string      `json:"axis"` // of a group; "" otherwise
	Severity string      `json:"severity"`
	Detail   string      `json:"detail"`
	Examples [][2]string `json:"examples,omitempty"` // sources: of the test capture, of the other one
}

// AuditProbe is a small model that sees one thing beside the traffic, tried on the test captures.
type AuditProbe struct {
	Name     string  `json:"name"`
	Accuracy float64 `json:"accuracy"`
	CILow    float64 `json:"ci_low"` // Clopper-Pearson, 95 %
	CIHigh   float64 `json:"ci_high"`
	Majority float64 `json:"majority"` // accuracy of the constant answer: most frequent class of the training captures
	P        float64 `json:"p"`        // two-sided exact McNemar against that
	PHolm    float64 `json:"p_holm"`   // corrected over the probes and groups of the audit
	Model    string  `json:"model"`    // chosen by cross-validation on the training captures
	CV       float64 `json:"cv_accuracy"`
	Features int     `json:"features"`
	NTrain   int     `json:"n_train"` // captures that have what the probe looks at
	NTest    int     `json:"n_test"`
}

// AuditGroup says what an axis that a split does not hold apart is worth.
type AuditGroup struct {
	Axis   string  `json:"axis"`
	Groups int     `json:"groups"`
	Shared float64 `json:"shared"`   // share of the test captures whose group is in training too
	Random float64 `json:"random"`   // accuracy of the nearest neighbor outside a random group
	Held   float64 `json:"held_out"` // of the nearest neighbor outside the capture's own group
	P      float64 `json:"p"`        // one-sided: permutations of the groups within each class
	PHolm  float64 `json:"p_holm"`
}

// AuditAbsent is a probe or an axis that the data say nothing about.
type AuditAbsent struct {
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

// AuditData is what an audit reads; *dataset.Set is one.
type AuditData interface {
	Capture(id int64) (*dataset.Capture, error)
	Each(ids []int64, f func(c *dataset.Capture, t *trace.Trace) error) error
}

// AuditOptions say how to audit.
type AuditOptions struct {
	Seed    uint64
	Threads int      // 0: all processors
	Fitted  []string // statistics that were fitted on test captures too, in words; FittedOnTest finds some
	Marked  int      // captures of the classes that the data set leaves out as duplicates
	World   string   // axis that the label was made of: its values are no groups; see World
}

// Audit looks for ways in which the captures of test give their classes away to a model trained on those of train,
// other than by the traffic that it should read: the same traffic on both sides, groups on both sides, and probes that
// see only the clock, the length, addresses, ports, or the fields a TCP session begins with. train and test are ids of
// captures whose label is one of classes.
//
// Severities follow fixed rules. A test is significant when its p is below 0.05 after Holm's correction over all probes
// and groups of the audit, and strong when the model moreover covers a quarter of the way from the majority's accuracy
// to 1. Nothing that was tested is severe unless that p is below 0.01.
//
//	duplicate       the same digest, or the same packets in another form (other clock, other sizes, a part of a longer capture):
//	                severe from 1 % of the test captures on, else warn. On one side of the split only: info
//	near_duplicate  the same first 100 payload sizes (SP-36), or half of the rare runs of sizes: warn from 1 % of the test
//	                captures on, else info
//	group           test captures with their group in training: info; warn when a nearest neighbor is significantly worse
//	                without its group; severe when that, times the share of such captures, is 10 points or more
//	time            significant: warn, strong: severe
//	fitted_on_test  warn
//	length          by the duration: significant info, strong warn; by bytes and packets (totals): info
//	address, port,  significant: info, strong: warn: harmless to a model that sees sizes and times only, fatal to one that
//	session         reads these fields
//	known_others    of an open world: info
//
// The same data, split and options give the same result at any number of threads.
func Audit(data AuditData, label string, classes []string, train, test []int64, o AuditOptions) (*AuditResult, error) {
	a, err := openAudit(data, label, classes, slices.Concat(train, test), o)
	if err != nil {
		return nil, err
	}
	return a.audit(train, test)
}

// audit is Audit of one split of the captures that were read.
func (a *auditor) audit(train, test []int64) (*AuditResult, error) {
	if err := a.divide(train, test); err != nil {
		return nil, err
	}
	r := &AuditResult{Label: a.label, Classes: a.k, NTrain: len(train), NTest: len(test),
		Findings: []AuditFinding{}, Probes: []AuditProbe{}, Groups: []AuditGroup{}, Absent: []AuditAbsent{}}
	a.twins(r)
	if err := a.probe(r); err != nil {
		return nil, err
	}
	if a.gaps != nil {
		a.groups(r)
	}
	a.known(r)
	r.correct()
	for _, p := range r.Probes {
		r.judgeProbe(p, a.words)
	}
	for _, g := range r.Groups {
		r.judgeGroup(g)
	}
	for _, f := range a.Fitted {
		r.find(LeakFitted, "", SeverityWarn, nil, "%s", f)
	}
	slices.SortStableFunc(r.Findings, func(x, y AuditFinding) int {
		return cmp.Or(cmp.Compare(slices.Index(severities, x.Severity), slices.Index(severities, y.Severity)),
			cmp.Compare(slices.Index(leakKinds, x.Kind), slices.Index(leakKinds, y.Kind)))
	})
	return r, nil
}

func (r *AuditResult) find(kind, axis, severity string, examples [][2]string, format string, args ...any) {
	r.Findings = append(r.Findings, AuditFinding{kind, axis, severity, fmt.Sprintf(format, args...), examples})
}

// Severe returns the findings that turn the numbers of a split into something else.
func (r *AuditResult) Severe() (out []AuditFinding) {
	for _, f := range r.Findings {
		if f.Severity == SeveritySevere {
			out = append(out, f)
		}
	}
	return out
}

// correct fills in p_holm over everything that was tested.
func (r *AuditResult) correct() {
	var p []float64
	for _, x := range r.Probes {
		p = append(p, x.P)
	}
	for _, x := range r.Groups {
		p = append(p, x.P)
	}
	h := metrics.Holm(p)
	for i := range r.Probes {
		r.Probes[i].PHolm = h[i]
	}
	for i := range r.Groups {
		r.Groups[i].PHolm = h[len(r.Probes)+i]
	}
}

const (
	significance = 0.05
	certainty    = 0.01 // what a severe finding takes
	strongShare  = 0.25 // of the way from the majority to 1
	severeGap    = 0.10 // accuracy that a group may be worth
)

func (r *AuditResult) judgeProbe(p AuditProbe, words auditWords) {
	if !(p.PHolm < significance) || p.Accuracy <= p.Majority {
		return
	}
	strong := p.Accuracy-p.Majority >= strongShare*(1-p.Majority)
	kind := p.Name
	if kind == ProbeTotals {
		kind = LeakLength
	}
	severity := SeverityInfo
	if strong && p.Name != ProbeTotals {
		severity = SeverityWarn
	}
	if kind == LeakTime {
		if severity = SeverityWarn; strong && p.PHolm < certainty {
			severity = SeveritySevere
		}
	}
	r.find(kind, "", severity, nil, "%s: %s %% of %d %s are named right (majority %s %%, p %s after correction)",
		words.probes[p.Name], fixed(100*p.Accuracy, 1), p.NTest, words.test, fixed(100*p.Majority, 1), pvalue(p.PHolm))
}

func (r *AuditResult) judgeGroup(g AuditGroup) {
	if g.Shared == 0 {
		return
	}
	severity, gap := SeverityInfo, g.Random-g.Held
	verdict := "no gap is seen"
	if g.PHolm < significance && gap > 0 {
		severity, verdict = SeverityWarn, "captures of one group resemble each other more than their class"
		if gap*g.Shared >= severeGap && g.PHolm < certainty {
			severity = SeveritySevere
		}
	}
	r.find(LeakGroup, g.Axis, severity, nil,
		"%s %% of the test captures have their %s in training too; a nearest neighbor names %s %% right with any captures of the class at hand and %s %% without those of the same %s (p %s after correction): %s",
		fixed(100*g.Shared, 1), g.Axis, fixed(100*g.Random, 1), fixed(100*g.Held, 1), g.Axis, pvalue(g.PHolm), verdict)
}
