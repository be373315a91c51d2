package capture

import (
	"errors"
	"io"
	"slices"

	"earshot/data/trace"
)

// Report says what was read from a capture.
type Report struct {
	Link                                   string // link types of the packets
	Records                                int64  // packets in the file, as capinfos counts them
	Decoded                                int64  // of them: IP packets whose header was read
	PayloadUp, PayloadDown, PayloadUnknown int64  // bytes
	FirstUS, LastUS                        int64  // smallest and largest Unix time, microseconds; 0 without records
	Oversize                               int64  // IP packets above 1500 bytes: captured before or after offloading
	Guessed                                bool   // no rule was given, so that directions are guesses
	Err                                    *Problem
	Damaged                                int64      // records that claim a length which no packet has
	Notes                                  []*Problem // about the first MaxNotes of them
}

// MaxNotes is how many damaged records of a capture are told one by one.
const MaxNotes = 100

// ReadTrace reads a whole capture. A capture that is cut or damaged gives its packets before the place and Report.Err;
// the error is for one of which nothing is readable.
func ReadTrace(path string, rule Rule) (*trace.Trace, Report, error) {
	r, err := Open(path)
	if err != nil {
		return nil, Report{}, err
	}
	defer r.Close()
	return Assemble(r, rule)
}

// Assemble reads the rest of r into a trace.
func Assemble(r *Reader, rule Rule) (*trace.Trace, Report, error) {
	a := NewAssembler(rule)
	t := &trace.Trace{}
	var rec Record
	for {
		err := r.Next(&rec)
		if err == nil {
			if len(t.Packets) == cap(t.Packets) {
				t.Packets = slices.Grow(t.Packets, more(r, len(t.Packets)))
			}
			t.Packets = append(t.Packets, a.Add(&rec))
			continue
		}
		if err != io.EOF && !errors.As(err, &a.Report.Err) {
			return nil, a.Report, err
		}
		a.Report.Link = r.Link()
		t.Start, t.Flows = a.Start(), a.Flows
		return t, a.Report, nil
	}
}

// more is how many packets to make room for when n are there: as many as the rest of the file holds if they are like
// those so far, which the file's real size bounds; a doubling where the size is not known.
func more(r *Reader, n int) int {
	const first = 1 << 10
	read, size := r.Progress()
	if n < first || size <= read || read <= 0 {
		return max(first, n)
	}
	return min(int(float64(n)*float64(size-read)/float64(read)*1.02), 8*n) + 1
}
