package lab

import (
	"net/netip"
	"testing"
	"time"

	"earshot/data/capture"
	"earshot/data/trace"
)

const playedUS = int64(1_700_000_000_000_000)

// goodTake is a capture of 10 s: a request, 3 packets of the server, a transfer of 3000 bytes, music all along.
func goodTake() *take {
	client, server := netip.MustParseAddrPort(clientAddr+":40000"), netip.MustParseAddrPort(serverAddr+":443")
	packet := func(at int64, src, dst netip.AddrPort, bytes int32) capture.Record {
		return capture.Record{UnixUS: playedUS + at, Src: src, Dst: dst, Packet: trace.Packet{Protocol: 17, PayloadBytes: bytes, IPBytes: bytes + 28, FrameBytes: bytes + 42, Flow: -1}}
	}
	ms := float64(playedUS) / 1000
	return &take{
		records: []capture.Record{
			packet(-5, server, client, 25), packet(1000, client, server, 80), packet(21000, server, client, 1200), packet(22000, server, client, 1200),
			packet(23000, server, client, 700), packet(9_999_999, client, server, 30), packet(10_000_000, server, client, 1000),
		},
		link: "ethernet", played: playedUS, duration: 10 * time.Second, protocol: "h3",
		state: state{
			Position: 9.8,
			Events:   []event{{ms, "play", ""}, {ms + 30, "playing", "0.000"}},
			Transfers: []transfer{
				{ms - 900, ms - 800, 390000, "hls.light.min.js"}, {ms + 1, ms + 25, 3000, "segment-00000.m4s"},
				{ms + 9000, ms + 10001, 5000, "segment-00001.m4s"}, {ms + 9500, 0, 0, "segment-00002.m4s"},
			},
		},
		responses: []response{{Begin: time.UnixMicro(playedUS + 20000), End: time.UnixMicro(playedUS + 20500), File: "segment-00000.m4s", Protocol: 3, Status: 200, Bytes: 3000}},
	}
}

func TestTake(t *testing.T) {
	k := goodTake()
	k.window()
	tr, rep := k.trace(clientRule)
	if tr.Start != playedUS+1000 || len(tr.Packets) != 5 || tr.Packets[0].Time != 0 || tr.Packets[4].Time != 9_998_999 || rep.Link != "ethernet" {
		t.Fatalf("trace from %d: %+v", tr.Start-playedUS, tr.Packets)
	}
	if up, down, unknown := tr.Bytes(trace.Payload); up != 110 || down != 3100 || unknown != 0 {
		t.Errorf("%d up, %d down, %d unknown", up, down, unknown)
	}
	if h := k.health(tr); h != (health{Expected: 3000, Seen: 3100, Status: statusOK}) {
		t.Errorf("health %+v", h)
	}
	// Times are those of the packets: the response began 19 ms after the first one.
	want := []truth{
		{At: -1000, From: "page", Event: "play"},
		{At: 19000, From: "server", Event: "response", Detail: "segment-00000.m4s", Took: 500, Bytes: 3000, Status: 200},
		{At: 29000, From: "page", Event: "playing", Detail: "0.000"},
	}
	got := k.truth(tr.Start)
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("truth %d: %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestHealth(t *testing.T) {
	ms := float64(playedUS) / 1000
	for want, change := range map[string]func(*take){
		statusClock:    func(k *take) { k.step = -time.Second },
		statusDrops:    func(k *take) { k.drops = 1 },
		statusShort:    func(k *take) { k.records = k.records[:3] },
		statusProtocol: func(k *take) { k.responses[0].Protocol = 2 },
		statusFailed:   func(k *take) { k.responses[0].Status = 404 },
		statusStalled:  func(k *take) { k.state.Position = 6.9 },
	} {
		k := goodTake()
		change(k)
		k.window()
		tr, _ := k.trace(capture.Rule{})
		if h := k.health(tr); h.Status != want {
			t.Errorf("%+v, want %s", h, want)
		}
	}
	for name, c := range map[string]struct {
		change  func(*take)
		stalled bool
	}{
		"just enough": {func(k *take) { k.state.Position = 7.1 }, false},
		"5 s of deliberate rest": {func(k *take) {
			k.state.Position = 4.5
			k.state.Events = append(k.state.Events, event{ms + 3000, "pause", ""}, event{ms + 8000, "playing", ""})
		}, false},
		"and 3 s more": {func(k *take) {
			k.state.Position = 1.9
			k.state.Events = append(k.state.Events, event{ms + 3000, "pause", ""}, event{ms + 8000, "playing", ""})
		}, true},
		"at rest until the end": {func(k *take) {
			k.state.Position = 4
			k.state.Events = append(k.state.Events, event{ms + 4500, "pause", ""})
		}, false},
		"over before the end": {func(k *take) {
			k.state.Position = 6
			k.state.Events = append(k.state.Events, event{ms + 6100, "pause", ""}, event{ms + 6101, "ended", ""})
		}, false},
		"stood still, and over before the end": {func(k *take) {
			k.state.Position = 4
			k.state.Events = append(k.state.Events, event{ms + 8000, "ended", ""})
		}, true},
		"skipped": {func(k *take) {
			k.state.Position = 1
			k.state.Events = append(k.state.Events, event{ms + 3000, "skip", ""})
		}, false},
		"a page": {func(k *take) { k.state.Position = 0; k.page = true }, false},
	} {
		k := goodTake()
		c.change(k)
		if k.stalled() != c.stalled {
			t.Errorf("%s: stalled %v, want %v", name, !c.stalled, c.stalled)
		}
	}
	page := goodTake()
	page.page, page.state.Position = true, 0
	page.responses = append(page.responses, response{Protocol: 3, Status: 404, File: "favicon.ico"})
	tr, _ := page.trace(capture.Rule{})
	if h := page.health(tr); h.Status != statusOK {
		t.Errorf("a page with a missing file: %+v", h)
	}
	page.responses = page.responses[1:]
	if h := page.health(tr); h.Status != statusFailed {
		t.Errorf("a page that is not there: %+v", h)
	}
	empty := goodTake()
	empty.records, empty.state.Transfers = nil, nil
	tr, _ = empty.trace(capture.Rule{})
	if h := empty.health(tr); h.Status != statusShort {
		t.Errorf("nothing on the link: %+v", h)
	}
}
