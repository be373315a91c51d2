package dataset

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"earshot/data/dataset/npz"
)

// Commit makes everything that was added last: parts first, dataset.json at the end.
func (w *Writer) Commit() error {
	if w.bad != nil || w.dir == "" {
		return w.bad
	}
	w.bad = w.commit()
	return w.bad
}

func (w *Writer) commit() error {
	number := fmt.Sprintf("%06d", w.commits)
	m := w.manifest
	m.Parts = slices.Clone(m.Parts)
	if caps := w.captures[w.done:]; len(caps) > 0 {
		c, err := filePart(w.dir, "captures-"+number+".parquet", int64(len(caps)), func(f io.Writer) error { return writeCaptures(f, caps, m.Axes) })
		if err != nil {
			return err
		}
		m.Parts = append(m.Parts, c)
		if w.packets != nil {
			for _, finish := range []func() (Part, error){w.packets.finish, w.flows.finish} {
				p, err := finish()
				if err != nil {
					return err
				}
				m.Parts = append(m.Parts, p)
			}
			w.packets, w.flows = nil, nil
		}
		if len(w.series) > 0 {
			ids := make([]int64, len(caps))
			for i := range caps {
				ids[i] = caps[i].ID
			}
			p, err := filePart(w.dir, "series-"+number+".npz", int64(len(caps)), func(f io.Writer) error {
				return npz.WriteTo(f, npz.Named{Name: "X", Array: npz.Float32(w.series, len(caps), w.shape[0], w.shape[1])},
					npz.Named{Name: "capture_id", Array: npz.Int64(ids)})
			})
			if err != nil {
				return err
			}
			m.Parts = append(m.Parts, p)
			w.series = nil
		}
	}
	if err := w.writeProblems(); err != nil {
		return err
	}
	if err := m.write(w.dir); err != nil {
		return err
	}
	if len(w.captures) > w.done {
		w.commits++
	}
	w.manifest, w.done = m, len(w.captures)
	return nil
}

// Close gives the folder back. What was not committed is dropped, and so is a folder in which nothing was.
func (w *Writer) Close() error {
	if w.dir == "" || w.lock == nil {
		return nil
	}
	var err error
	for _, abort := range []func() error{w.packets.abort, w.flows.abort} {
		err = errors.Join(err, abort())
	}
	err = errors.Join(err, w.lock.release(w.dir))
	w.lock, w.bad = nil, errors.New("dataset: the writer is closed")
	return err
}
