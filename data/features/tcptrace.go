package features

// The fields of tcptrace 6.6.7 (Ostermann), as "tcptrace -l -r -W --csv -n" prints them, digit by digit: averages are
// truncated, times rounded, oddities kept (a segment of one byte counts as the largest of all in the full-size round
// trips, outstanding data can wrap below 0). Columns are the program's with _up and _down in place of _a2b and _b2a,
// whichever side spoke first.

const (
	tcptracePaper = "tcptrace 6.6.7; Requests to a smart speaker (Echo, 2018), section Features"
	tcptraceMerge = "several connections of a capture: sum (counts and bytes add up, max_*, initial window and idletime take the largest, " +
		"min_* the smallest above 0, averages the mean weighted by data packets, times first to last, throughput bytes by time) or largest " +
		"(the connection with the most payload)"
)

var mergeSetting = Setting{"merge", "sum", tcptraceMerge}

// tcptrace computes a list of fields for some directions.
type tcptrace struct {
	list    []tcpField
	sides   []int // 0 up, 1 down
	largest bool
}

// sideNames are the suffixes of connection.sides.
var sideNames = [2]string{"_up", "_down"}

func openTcptrace(list []tcpField, sides ...int) func(s *settings) computer {
	return func(s *settings) computer {
		return &tcptrace{list, sides, s.choice("merge", "sum", "largest") == "largest"}
	}
}

// kept are the 22 fields that the Echo study keeps of the 35; the others were constant over its data.
func kept() (list []tcpField) {
	for _, f := range tcptraceFields {
		if f.kept {
			list = append(list, f)
		}
	}
	return list
}

func (t *tcptrace) connections() bool { return true }

func (t *tcptrace) fields() (out []Field) {
	for _, f := range t.list {
		for _, s := range t.sides {
			out = append(out, Field{Name: f.name + sideNames[s], Unit: f.unit, Formula: f.formula})
		}
	}
	return out
}

func (t *tcptrace) row(u *Unit, dst []float64) {
	conns := u.tcp()
	if t.largest {
		conns = largest(conns)
	}
	for i := range t.list {
		for j, s := range t.sides {
			dst[i*len(t.sides)+j] = t.list[i].merged(conns, s)
		}
	}
}
