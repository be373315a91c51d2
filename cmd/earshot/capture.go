package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"earshot/data/capture"
	"earshot/data/dataset"

	"github.com/spf13/cobra"
)

// captureFlags are the flags of data capture.
type captureFlags struct {
	iface, out, filter, authorized string
	duration, every                time.Duration
	size                           byteSize
}

func newDataCaptureCommand(a *app) *cobra.Command {
	var f captureFlags
	c := &cobra.Command{
		Use:   "capture --interface IFACE --out F.pcapng|DIR --authorized STATEMENT",
		Short: "Record the packets of a network interface",
		Long: `Record the packets of a network interface as pcapng, whole frames, both directions. It needs Linux and root (or
CAP_NET_RAW).

--authorized states why you may record this traffic: your own device and account, or the written permission of those whose
they are. Without it nothing is opened. The statement is stored in the file, and in the data set that imports it.

--out is a file, or with --rotate-size or --rotate-every a folder of files that follow each other, named by interface and time
(UTC). While a file is written it is called F.pcapng.partial, which is readable up to the last second. The capture ends
after --duration or with Ctrl-C (status 130), and nothing that had passed by then is lost; packets that the system could not
hand over are counted, in the file and below.

--filter takes terms between commas: tcp, udp, icmp, icmp6, esp, gre, sctp, proto=N, port=N, host=CIDR, host=@FILE. Terms of one
kind are alternatives; a packet must satisfy every kind that is named. On lo, where the system shows each packet twice,
it is recorded once. Packets larger than the interface's MTU were joined or not yet split by the network card; turn that off
(ethtool -K IFACE gro off gso off tso off lro off) where sizes matter.`,
		Example: `  earshot data capture --interface eth0 --duration 60s --authorized "my own laptop" --out song_1.pcapng
  earshot data capture --interface eth0 --filter udp,port=443,host=@service.txt --rotate-every 1h --authorized "my own laptop" --out captures/
  earshot data import captures/ --clients 192.168.0.0/16 --out mydata`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.capture(cmd.Context(), &f) },
	}
	fl := c.Flags()
	fl.StringVar(&f.iface, "interface", "", "network interface")
	fl.StringVar(&f.out, "out", "", "file to write (.pcapng), or folder of files")
	fl.StringVar(&f.authorized, "authorized", "", "statement that you may record this traffic")
	fl.StringVar(&f.filter, "filter", "", "packets to take: terms such as udp,port=443,host=192.0.2.0/24")
	fl.DurationVar(&f.duration, "duration", 0, "length of the capture (0: until Ctrl-C)")
	fl.Var(&f.size, "rotate-size", "a new file when one is as large, such as 100MiB (0: never)")
	fl.DurationVar(&f.every, "rotate-every", 0, "a new file when one is as old, such as 1h (0: never)")
	c.MarkFlagRequired("interface")
	c.MarkFlagRequired("out")
	return c
}

// captureBuffer is what the system may hold while the disk is slow: half a second at 1 Gbit/s.
const captureBuffer = 64 << 20

// captured is what data capture --json prints.
type captured struct {
	Interface  string                 `json:"interface"`
	Files      []capture.RecordedFile `json:"files"`
	Seconds    float64                `json:"seconds"`
	Filter     string                 `json:"filter"`
	Authorized string                 `json:"authorized"`
	capture.Recording
}

// statement checks --authorized: without it nothing is opened.
func statement(command, s string) (string, error) {
	if s = strings.TrimSpace(s); s == "" {
		return "", usagef(`%s: --authorized is needed: state why you may record this traffic, such as --authorized "my own laptop and account"`, command)
	}
	if strings.ContainsAny(s, "\r\n") || len(s) > 1000 {
		return "", usagef("%s: --authorized: one line of at most 1000 letters is needed", command)
	}
	return dataset.Text(s), nil
}

func (f *captureFlags) check() (capture.Filter, error) {
	var filter capture.Filter
	var err error
	if f.authorized, err = statement("data capture", f.authorized); err != nil {
		return filter, err
	}
	if f.duration < 0 || f.every < 0 {
		return filter, usagef("data capture: --duration %v --rotate-every %v: 0 or more is needed", f.duration, f.every)
	}
	if filter, err = capture.ParseFilter(f.filter, dataset.ParsePrefixes); err != nil {
		return filter, fileOrUsage("data capture: --filter: %w", err)
	}
	if f.rotates() {
		return filter, nil
	}
	if filepath.Ext(f.out) != ".pcapng" {
		return filter, usagef("data capture: --out %s: name a file .pcapng, or a folder together with --rotate-size or --rotate-every", f.out)
	}
	if err := checkOut(f.out, false); err != nil {
		return filter, fmt.Errorf("data capture: %w", err)
	}
	return filter, nil
}

func (f *captureFlags) rotates() bool { return f.size > 0 || f.every > 0 }

func (a *app) capture(ctx context.Context, f *captureFlags) error {
	filter, err := f.check()
	if err != nil {
		return err
	}
	live, err := capture.OpenLiveFiltered(f.iface, filter, captureBuffer)
	if err != nil {
		return err
	}
	defer live.Close()
	out, err := capture.NewRecorder(capture.RecorderOptions{
		Out: f.out, Rotate: f.rotates(), RotateBytes: int64(f.size), RotateEvery: f.every,
		Heading: capture.Heading{Interface: f.iface, Link: live.LinkType(), Filter: filter.String(), Authorized: f.authorized},
	})
	if err != nil {
		return err
	}
	begin := time.Now()
	done := make(chan error, 1)
	go func() { done <- out.Run(live) }()
	stop := time.NewTimer(f.duration)
	if f.duration == 0 {
		stop.Stop()
	}
	defer stop.Stop()
	stopped, warned := false, false
	for finished := false; !finished; {
		select {
		case err = <-done:
			finished = true
		case <-stop.C:
			live.Stop()
		case <-ctx.Done():
			if !stopped {
				stopped = true
				live.Stop()
			}
			err = <-done
			finished = true
		case <-time.After(time.Second): // what passed is in the file at most a second later
			if e := out.Flush(); e != nil {
				live.Stop()
			}
		}
		if s := out.State(); s.Oversize > 0 && !warned {
			warned = true
			a.logLine(fmt.Sprintf("size: a packet larger than the MTU of %s (%d bytes): captured behind offload; turn it off with: ethtool -K %s gro off gso off tso off lro off", f.iface, live.MTU(), f.iface))
		}
	}
	r := captured{Interface: f.iface, Files: out.Files, Seconds: time.Since(begin).Seconds(), Filter: filter.String(), Authorized: f.authorized, Recording: out.State()}
	if r.Files == nil {
		r.Files = []capture.RecordedFile{}
	}
	if r.Dropped > 0 {
		a.logLine(fmt.Sprintf("%s: %d packets were lost because they came faster than they could be written; narrow the --filter", f.iface, r.Dropped))
	}
	if err != nil {
		return err
	}
	if err := a.printCaptured(r); err != nil {
		return err
	}
	if stopped {
		return &interrupted{fmt.Sprintf("data capture: stopped; all %d packets are in %s, nothing is left to resume", r.Packets, f.out)}
	}
	return nil
}

func (a *app) printCaptured(r captured) error {
	if a.json {
		return a.printJSON(r)
	}
	for _, f := range r.Files {
		if _, err := fmt.Fprintf(a.stdout, "%s: %d packets, %d bytes\n", f.Name, f.Packets, f.Bytes); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.stdout, "%d packets, %d bytes on the wire, %d lost, in %.1f s\n", r.Packets, r.Bytes, r.Dropped, r.Seconds)
	return err
}
