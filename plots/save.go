package plots

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"html"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Formats are the endings that Save and Encode know.
var Formats = []string{"pdf", "svg", "png"}

// pngDPI is what publishers ask of images that are not vectors.
const pngDPI = 300

// Save writes the figure in the format of path's ending. The file appears under its name only when it is complete.
func Save(f *Figure, path string) error {
	b, err := f.Encode(strings.TrimPrefix(strings.ToLower(filepath.Ext(path)), "."))
	if err != nil {
		return fmt.Errorf("%w (%s)", err, path)
	}
	t, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("plots: %w", err)
	}
	defer os.Remove(t.Name()) // fails after the rename, as it should
	_, err = t.Write(b)
	if e := t.Chmod(0o644); err == nil {
		err = e
	}
	if e := t.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(t.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("plots: %s: %w", path, err)
	}
	return nil
}

// Encode returns the figure in a format of Formats. Equal figures give equal bytes.
func (f *Figure) Encode(format string) ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	switch format {
	case "pdf":
		return f.pdf()
	case "svg":
		return f.svg()
	case "png":
		return f.png(pngDPI)
	}
	return nil, fmt.Errorf("plots: unknown format %q; choose one of %s", format, strings.Join(Formats, ", "))
}

func (f *Figure) lengths() (w, h vg.Length) {
	x, y := f.Size()
	return vg.Length(x) * vg.Inch, vg.Length(y) * vg.Inch
}

func (f *Figure) svg() ([]byte, error) {
	w, h := f.lengths()
	c := vgsvg.NewWith(vgsvg.UseWH(w, h))
	f.Draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("plots: svg: %w", err)
	}
	return fixSVG(b.Bytes()), nil
}

var svgText = regexp.MustCompile(`(?s)<text ([^>]*?font-weight:(\w+)[^>]*?font-size:([0-9.]+)px[^>]*)>([^<]*)</text>`)

// fixSVG adds what vgsvg leaves out: fonts as wide as Liberation Sans, which the file does not carry, for the reader who has
// none of them the width of each text, and images that fill their place.
func fixSVG(svg []byte) []byte {
	svg = svgText.ReplaceAllFunc(svg, func(m []byte) []byte {
		f := svgText.FindSubmatch(m)
		size, _ := strconv.ParseFloat(string(f[3]), 64)
		sty := lettering(size, draw.XLeft, ink)
		if string(f[2]) == "bold" {
			sty = bold(sty)
		}
		w := sty.Width(html.UnescapeString(string(f[4]))).Points()
		return fmt.Appendf(nil, `<text textLength="%.2f" lengthAdjust="spacingAndGlyphs" %s>%s</text>`, w, f[1], f[4])
	})
	svg = bytes.ReplaceAll(svg, []byte("font-family:Liberation Sans"), []byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif"))
	return bytes.ReplaceAll(svg, []byte("<image "), []byte(`<image preserveAspectRatio="none" `))
}

func (f *Figure) png(dpi int) ([]byte, error) {
	w, h := f.lengths()
	c := vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(dpi))
	f.Draw(draw.New(c))
	var b bytes.Buffer
	if err := png.Encode(&b, c.Image()); err != nil {
		return nil, fmt.Errorf("plots: png: %w", err)
	}
	return withDPI(b.Bytes(), dpi), nil
}

// withDPI adds the chunk pHYs, from which LaTeX and word processors take the size of the image; image/png writes none.
func withDPI(file []byte, dpi int) []byte {
	const head = 8 + 25 // signature and IHDR
	var chunk bytes.Buffer
	chunk.WriteString("pHYs")
	perMeter := uint32(float64(dpi)/0.0254 + 0.5)
	binary.Write(&chunk, binary.BigEndian, []uint32{perMeter, perMeter})
	chunk.WriteByte(1) // the unit is the meter
	var out bytes.Buffer
	out.Write(file[:head])
	binary.Write(&out, binary.BigEndian, uint32(9))
	out.Write(chunk.Bytes())
	binary.Write(&out, binary.BigEndian, crc32.ChecksumIEEE(chunk.Bytes()))
	out.Write(file[head:])
	return out.Bytes()
}

// WriteTo writes the figure as PNG at screen size, for notebooks.
func (f *Figure) WriteTo(w io.Writer) (int64, error) {
	b, err := f.png(150)
	if err != nil {
		return 0, err
	}
	n, err := w.Write(b)
	return int64(n), err
}
