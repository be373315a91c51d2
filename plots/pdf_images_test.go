package plots

import (
	"bytes"
	"image"
	"image/color"
	"testing"

	"gonum.org/v1/plot/vg"
)

// TestPDFImagesKeepTheirOrder draws four images of one size: whatever order fpdf's map has, the bytes are the same.
func TestPDFImagesKeepTheirOrder(t *testing.T) {
	draw := func() []byte {
		c := newPDFCanvas(100, 100)
		for i := range 4 {
			img := image.NewNRGBA(image.Rect(0, 0, 20, 20))
			img.Set(i, i, color.NRGBA{R: uint8(50 * (i + 1)), A: 255})
			c.DrawImage(vg.Rectangle{Max: vg.Point{X: 20, Y: 20}}, img)
		}
		for range 2 {
			c.doc.TransformEnd()
		}
		var b bytes.Buffer
		if err := c.doc.Output(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	first := draw()
	for range 40 {
		if !bytes.Equal(draw(), first) {
			t.Fatal("the same images gave other bytes")
		}
	}
}
