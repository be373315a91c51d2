package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"earshot/data/lab"
)

// TestRecorded: what a recording did, in both forms; captures that were given up are a failure in both.
func TestRecorded(t *testing.T) {
	whole, short := lab.Report{Captures: 5, Skipped: 2}, lab.Report{Captures: 4, Again: 3, Failed: 1}
	for _, c := range []struct {
		json bool
		r    lab.Report
		out  string
		code int
	}{
		{false, whole, "ds: 5 captures recorded, 2 there already\n", exitDone},
		{false, short, "ds: 4 captures recorded, 3 attempts repeated, 1 given up\n", exitFailed},
		{true, whole, `"captures": 5,`, exitDone},
		{true, short, `"failed": 1,`, exitFailed},
	} {
		var out, errs bytes.Buffer
		a := &app{stdout: &out, stderr: &errs, json: c.json}
		code := status(a.printRecorded("ds", c.r), &errs)
		if code != c.code || !strings.Contains(out.String(), c.out) || strings.Contains(errs.String(), "ds: 1 captures were given up;") != (code == exitFailed) {
			t.Errorf("%+v: status %d: %s%s", c, code, out.String(), errs.String())
		}
	}
}

// TestRecordFormats: formats are the combinations of the flags; one file has no segments, whose lengths would only repeat it.
func TestRecordFormats(t *testing.T) {
	f := recordFlags{scenario: lab.Songs, bitrates: []string{"256"}, deliveries: []string{"hls", "progressive"}, codecs: []string{"opus", "aac"}, segments: []string{"2s", "4s"}}
	list, err := f.formats()
	if got, want := fmt.Sprint(list, err), "[hls-opus-256-2s hls-opus-256-4s hls-aac-256-2s hls-aac-256-4s progressive-opus-256-0s progressive-aac-256-0s] <nil>"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
