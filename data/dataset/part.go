package dataset

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/parquet-go/parquet-go"
)

// partFile is a Parquet part that is being written under a temporary name, its checksum on the way.
type partFile[R any] struct {
	dir, name string
	file      *os.File
	buf       *bufio.Writer
	sum       hash.Hash
	rows      int64
	parquet   *parquet.GenericWriter[R]
}

func createPart[R any](dir, name string) (*partFile[R], error) {
	f, err := os.Create(filepath.Join(dir, tempPrefix+name))
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	p := &partFile[R]{dir: dir, name: name, file: f, sum: sha256.New()}
	p.buf = bufio.NewWriterSize(io.MultiWriter(f, p.sum), 1<<18)
	p.parquet = parquet.NewGenericWriter[R](p.buf, options()...)
	return p, nil
}

func (p *partFile[R]) write(rows []R) error {
	if _, err := p.parquet.Write(rows); err != nil {
		return fmt.Errorf("dataset: %s: %w", filepath.Join(p.dir, p.name), err)
	}
	p.rows += int64(len(rows))
	return nil
}

// finish gives the part its name.
func (p *partFile[R]) finish() (Part, error) {
	err := p.parquet.Close()
	if err == nil {
		err = p.buf.Flush()
	}
	if err == nil {
		err = p.file.Sync()
	}
	if e := p.file.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(p.file.Name(), filepath.Join(p.dir, p.name))
	}
	if err != nil {
		return Part{}, fmt.Errorf("dataset: %s: %w", filepath.Join(p.dir, p.name), err)
	}
	return Part{Name: p.name, SHA256: hex.EncodeToString(p.sum.Sum(nil)), Rows: p.rows}, nil
}

// abort removes the temporary file; a nil part has none.
func (p *partFile[R]) abort() error {
	if p == nil {
		return nil
	}
	p.file.Close()
	return os.Remove(p.file.Name())
}

// filePart writes a part in one go.
func filePart(dir, name string, rows int64, write func(io.Writer) error) (Part, error) {
	sum := sha256.New()
	err := writeFile(dir, name, func(w io.Writer) error {
		b := bufio.NewWriterSize(io.MultiWriter(w, sum), 1<<18)
		if err := write(b); err != nil {
			return err
		}
		return b.Flush()
	})
	return Part{Name: name, SHA256: hex.EncodeToString(sum.Sum(nil)), Rows: rows}, err
}

func seriesDigest(x []float32) string {
	b := make([]byte, 0, 4*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
