package lab

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"earshot/data/capture"
)

// rig is a network of three hosts of its own: client, network, server. Nothing leads out of it.
//
//	client namespace        router namespace            server namespace
//	Chromium      link0 ─── client0  relay  server0 ─── link0      web server
//	   recorder ───┘
type rig struct {
	number                 int
	client, router, server *namespace
	relay                  *relay
	web                    *server
}

const linkName = "link0"

func newRig(number int, cert tls.Certificate, q qdiscs) (r *rig, err error) {
	r = &rig{number: number}
	defer func() {
		if err != nil {
			r, err = nil, errors.Join(fmt.Errorf("lab: rig %d: %w", number, err), r.close())
		}
	}()
	for _, n := range []**namespace{&r.client, &r.router, &r.server} {
		if *n, err = newNamespace(); err != nil {
			return r, err
		}
	}
	for _, f := range []func() error{
		func() error { return join(r.client, linkName, r.router, "client0") },
		func() error { return join(r.server, linkName, r.router, "server0") },
		func() error { return r.client.address(linkName, clientAddr) },
		func() error { return r.server.address(linkName, serverAddr) },
		func() error { r.relay, err = newRelay(r.router, "client0", "server0", q); return err },
		func() error { r.web, err = startServer(r.server, cert); return err },
	} {
		if err := f(); err != nil {
			return r, err
		}
	}
	return r, nil
}

// close takes the rig apart. The links go with the namespaces.
func (r *rig) close() error {
	return errors.Join(r.web.close(), r.relay.close(), r.client.close(), r.router.close(), r.server.close())
}

// recording is a capture of the client's link that is going on.
type recording struct {
	live    *capture.Live
	records []capture.Record
	err     error
	done    chan struct{}
}

func (r *rig) record() (*recording, error) {
	c := &recording{done: make(chan struct{})}
	if err := r.client.do(func() (err error) {
		c.live, err = capture.OpenLive(linkName)
		return err
	}); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.done)
		var rec capture.Record
		for c.err == nil {
			if c.err = c.live.Next(&rec); c.err == nil {
				c.records = append(c.records, rec)
			}
		}
	}()
	return c, nil
}

// stop ends the capture and returns what it took.
func (c *recording) stop() (records []capture.Record, link string, drops int64, err error) {
	c.live.Stop()
	<-c.done
	if c.err != io.EOF {
		err = c.err
	}
	link = c.live.Link()
	drops, e := c.live.Drops()
	return c.records, link, drops, errors.Join(err, e, c.live.Close())
}

// media is where the encoded files of a work lie, and how long it is.
type media func(f Format, w Work) (dir string, length time.Duration)

// playItem is what the page's lab.play takes.
type playItem struct {
	Name     string  `json:"name"` // of the advertisement or song; for the page's notes only, never sent
	Path     string  `json:"path"`
	File     string  `json:"file"`
	Delivery string  `json:"delivery"`
	Ahead    int     `json:"ahead"` // seconds of music that the player keeps in store
	From     float64 `json:"from"`  // seconds
}

// ahead is the player's store, three segments of the study's service.
const ahead = 30

// capture makes one attempt at an item.
func (r *rig) capture(ctx context.Context, b *browser, i *item, d time.Duration, where media) (t *take, err error) {
	if err := r.relay.shape(i.network, i.seed); err != nil {
		return nil, err
	}
	page, err := b.open(ctx)
	if err != nil {
		return nil, err
	}
	defer page.cancel()
	isPage := i.format == PageFormat
	if !isPage { // the player itself is not part of the capture
		if err := page.navigate("/", 30*time.Second); err != nil {
			return nil, err
		}
	}
	if err := pause(ctx, i.wait); err != nil {
		return nil, err
	}
	r.web.handler.take()
	rec, err := r.record()
	if err != nil {
		return nil, err
	}
	defer func() {
		if t == nil {
			rec.stop()
		}
	}()
	begin := time.Now()
	if isPage {
		dir, _ := where(i.format, i.work)
		go page.navigate(r.web.handler.mount(dir)+"index.html", d) // it may take longer than the capture
	} else if err := page.call("play", r.items(i, d, where)); err != nil {
		return nil, err
	}
	if i.action != "none" {
		if err := pause(ctx, i.actionAt-time.Since(begin)); err != nil {
			return nil, err
		}
		if err := act(page, i.action); err != nil {
			return nil, err
		}
	}
	if err := pause(ctx, d-time.Since(begin)); err != nil {
		return nil, err
	}
	now := time.Now()
	t = &take{
		duration: d, protocol: i.protocol, page: isPage, played: begin.UnixMicro(),
		step: now.Round(0).Sub(begin.Round(0)) - now.Sub(begin), // wall clock against the monotonic one
	}
	t.state, err = page.state(isPage)
	if err == nil {
		t.records, t.link, t.drops, err = rec.stop()
	}
	if err != nil {
		t = nil
		return nil, err
	}
	t.responses = r.web.handler.take()
	for _, e := range t.state.Events {
		if e.Event == "play" { // the page's own moment, a little later than begin
			t.played = int64(e.MS * 1000)
			break
		}
	}
	t.window()
	return t, nil
}

// items are what lab.play takes.
func (r *rig) items(i *item, d time.Duration, where media) []playItem {
	var list []playItem
	for _, w := range []*Work{i.ad, &i.work, i.next} {
		if w == nil {
			continue
		}
		dir, length := where(i.format, *w)
		from := 0.0
		if w == &i.work {
			from = i.from * max(0, (length-d).Seconds()-ahead)
		}
		list = append(list, playItem{w.Name, r.web.handler.mount(dir), i.format.file(), i.format.Delivery, ahead, from})
	}
	return list
}

// act does what a listener does.
func act(page *tab, action string) error {
	switch action {
	case "skip":
		return page.call("skip")
	case "pause":
		return page.call("pause", 5000) // milliseconds
	case "seek":
		return page.call("seek", ahead+15) // seconds, to where the player has nothing yet
	}
	return page.call("list", "/list.json")
}

// pause waits, unless the recording is stopped.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// profile is the browser's folder; sockets in it need a short path.
func (r *rig) profile(scratch string, visit int) string {
	return filepath.Join(scratch, fmt.Sprintf("r%d-%d", r.number, visit))
}
