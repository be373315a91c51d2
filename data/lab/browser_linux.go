package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// browser is a headless Chromium inside the client's namespace that speaks one version of HTTP.
type browser struct {
	ctx    context.Context
	cancel context.CancelFunc
}

// startBrowser starts Chromium with an empty profile in dir, which it removes at the end.
func startBrowser(ctx context.Context, ns *namespace, t tools, protocol, pin, dir string) (*browser, error) {
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(t.chromium), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(dir),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("no-pings", true), chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"), chromedp.Flag("mute-audio", true),
		chromedp.Flag("host-resolver-rules", "MAP "+hostName+" "+serverAddr+", MAP * ~NOTFOUND"),
		chromedp.Flag("ignore-certificate-errors-spki-list", pin),
		chromedp.ModifyCmdFunc(func(c *exec.Cmd) {
			ns.command(c, t.nsenter)
			dieWithParent(c)
		}))
	switch protocol {
	case "h1":
		opts = append(opts, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-http2", true))
	case "h2":
		opts = append(opts, chromedp.Flag("disable-quic", true))
	case "h3":
		opts = append(opts, chromedp.Flag("enable-quic", true), chromedp.Flag("origin-to-force-quic-on", hostName+":443"))
	}
	b := &browser{}
	alloc, cancelAlloc := chromedp.NewExecAllocator(ctx, opts...)
	first, cancelFirst := chromedp.NewContext(alloc)
	b.ctx = first
	b.cancel = func() { cancelFirst(); cancelAlloc(); os.RemoveAll(dir) }
	if err := chromedp.Do(first); err != nil {
		b.cancel()
		return nil, fmt.Errorf("start %s: %w", t.chromium, err)
	}
	return b, nil
}

// tab is a page in a profile of its own: no cache, cookie, connection or session ticket of an earlier one.
type tab struct {
	ctx    context.Context
	cancel context.CancelFunc
}

func (b *browser) open(ctx context.Context, path string) (*tab, error) {
	page, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	stop := context.AfterFunc(ctx, cancel)
	t := &tab{ctx: page, cancel: func() { stop(); cancel() }}
	err := chromedp.Do(page) // makes the tab, which lives as long as the context of this first call
	if err == nil {
		limit, done := context.WithTimeout(page, 30*time.Second)
		defer done()
		err = chromedp.Do(limit, chromedp.Navigate("https://"+hostName+path))
	}
	if err != nil {
		t.cancel()
		return nil, fmt.Errorf("open the page: %w", err)
	}
	return t, nil
}

// call runs a method of the page's object lab.
func (t *tab) call(method string, args ...any) error {
	var list []string
	for _, a := range args {
		b, err := json.Marshal(a)
		if err != nil {
			return err
		}
		list = append(list, string(b))
	}
	limit, done := context.WithTimeout(t.ctx, 10*time.Second)
	defer done()
	_, err := chromedp.Run(limit, chromedp.Evaluate[bool]("lab."+method+"("+strings.Join(list, ", ")+"), true"))
	if err != nil {
		return fmt.Errorf("page: %s: %w", method, err)
	}
	return nil
}

// state is what the page saw; times are Unix milliseconds.
type state struct {
	Events    []event    `json:"events"`
	Transfers []transfer `json:"transfers"`
	Position  float64    `json:"position"` // seconds played
}

type event struct {
	MS     float64 `json:"ms"`
	Event  string  `json:"event"`
	Detail string  `json:"detail"`
}

type transfer struct {
	Begin float64 `json:"begin"`
	End   float64 `json:"end"` // 0: not over
	Bytes int64   `json:"bytes"`
	File  string  `json:"file"`
}

func (t *tab) state() (state, error) {
	limit, done := context.WithTimeout(t.ctx, 10*time.Second)
	defer done()
	var s state
	text, err := chromedp.Run(limit, chromedp.Evaluate[string]("JSON.stringify(lab.state())"))
	if err == nil {
		err = json.Unmarshal([]byte(text), &s)
	}
	if err != nil {
		return s, fmt.Errorf("page: state: %w", err)
	}
	return s, nil
}
