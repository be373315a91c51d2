package capture

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// RecorderOptions say where a recording goes.
type RecorderOptions struct {
	Out         string        // the file; with Rotate its folder
	Rotate      bool          // a file after the other: NAME-TIME-00001.pcapng, TIME in UTC
	RotateBytes int64         // a new file when one is as large; 0: never
	RotateEvery time.Duration // a new file when one is as old, by the packets' clock; 0: never
	Heading     Heading
}

// RecordedFile is one file of a recording.
type RecordedFile struct {
	Name    string `json:"name"`
	Packets int64  `json:"packets"`
	Bytes   int64  `json:"bytes"` // of the file
}

// Recorder writes packets into one pcapng file or several. A file that is being written is named NAME.partial and holds
// whole blocks up to the latest Flush; its own name says that it is complete.
type Recorder struct {
	Files []RecordedFile // that are complete

	o     RecorderOptions
	mu    sync.Mutex
	state Recording
	file  *os.File
	w     *Writer
	path  string
	first int64 // time of the file's first packet
	last  int64
	n     int64
	count int
}

const partialSuffix = ".partial"

// NewRecorder checks the place. Without Rotate the file is made at once, so that a recording without packets is a file, too.
func NewRecorder(o RecorderOptions) (*Recorder, error) {
	r := &Recorder{o: o}
	if o.Rotate {
		if err := os.MkdirAll(o.Out, 0o755); err != nil {
			return nil, fmt.Errorf("capture: %w", err)
		}
		return r, nil
	}
	return r, r.open(0)
}

func (r *Recorder) open(unixUS int64) error {
	r.count++
	r.path = r.o.Out
	if r.o.Rotate {
		r.path = filepath.Join(r.o.Out, fmt.Sprintf("%s-%s-%05d.pcapng", r.o.Heading.Interface, time.UnixMicro(unixUS).UTC().Format("20060102T150405Z"), r.count))
	}
	f, err := os.OpenFile(r.path+partialSuffix, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("capture: %s: is there from a recording that was killed, or goes on; move it away, it is readable", r.path+partialSuffix)
	}
	if err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	r.file, r.n, r.first, r.last = f, 0, unixUS, unixUS
	r.w, err = NewWriter(f, r.o.Heading)
	return r.failed(err)
}

func (r *Recorder) failed(err error) error {
	if err != nil {
		return fmt.Errorf("capture: %s: %w", r.path, err)
	}
	return nil
}

// packet writes a packet that NextFrame returned.
func (r *Recorder) packet(unixUS, wire int64, frame []byte, sent bool) error {
	full := r.w != nil && r.n > 0 && (r.o.RotateBytes > 0 && r.w.Bytes() >= r.o.RotateBytes ||
		r.o.RotateEvery > 0 && unixUS-r.first >= r.o.RotateEvery.Microseconds())
	if r.o.Rotate && full {
		if err := r.end(0); err != nil {
			return err
		}
	}
	if r.w == nil {
		if err := r.open(unixUS); err != nil {
			return err
		}
	}
	if r.n == 0 {
		r.first = unixUS
	}
	r.n++
	r.last = unixUS
	return r.failed(r.w.Packet(unixUS, wire, frame, sent))
}

// Flush hands what was written to the file, in whole blocks.
func (r *Recorder) Flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.w == nil {
		return nil
	}
	return r.failed(r.w.Flush())
}

func (r *Recorder) end(dropped int64) error {
	err := r.w.Statistics(r.last, r.n+dropped, dropped)
	size := r.w.Bytes()
	for _, f := range []func() error{r.w.Flush, r.file.Sync, r.file.Close} {
		if err == nil {
			err = f()
		}
	}
	if err == nil {
		err = os.Rename(r.path+partialSuffix, r.path)
	}
	if err == nil {
		r.Files = append(r.Files, RecordedFile{r.path, r.n, size})
	}
	r.w, r.file = nil, nil
	return r.failed(err)
}

// Recording is how a recording stands.
type Recording struct {
	Packets  int64 `json:"packets"`
	Bytes    int64 `json:"bytes"`            // of the frames, on the wire
	Dropped  int64 `json:"dropped"`          // packets lost because nobody read them in time
	Oversize int64 `json:"oversize_packets"` // IP packets larger than the interface's MTU: captured behind offload
}

// Run records until the capture is stopped, and completes the last file. Flush and State may be called meanwhile.
func (r *Recorder) Run(l *Live) error {
	var p Record
	mtu := int32(l.MTU())
	for {
		frame, sent, err := l.NextFrame(&p)
		if err == nil {
			r.mu.Lock()
			err = r.packet(p.UnixUS, int64(p.FrameBytes), frame, sent)
			r.state.Packets++
			r.state.Bytes += int64(p.FrameBytes)
			if mtu > 0 && p.IPBytes > mtu {
				r.state.Oversize++
			}
			r.mu.Unlock()
		}
		if err == nil {
			continue
		}
		if err == io.EOF {
			err = nil
		}
		dropped, e := l.Drops()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.state.Dropped = dropped
		if err = errors.Join(err, e); r.w != nil {
			err = errors.Join(err, r.end(dropped))
		}
		return err
	}
}

// State is how the recording stands.
func (r *Recorder) State() Recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}
