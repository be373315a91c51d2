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
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(t.chromium), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(dir), chromedp.Env("TMPDIR="+dir), // all that it writes is in one folder
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
	b.cancel = func() {
		cancelFirst()
		cancelAlloc() // waits for the browser's end
		killUsers(dir)
		os.RemoveAll(dir)
	}
	if err := chromedp.Do(first); err != nil {
		b.cancel()
		return nil, fmt.Errorf("start %s: %s", t.chromium, oneLine(err))
	}
	return b, nil
}

// oneLine makes a line of the browser's many: that of its fatal error, where there is one.
func oneLine(err error) string {
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	for _, l := range lines {
		if strings.Contains(l, ":FATAL:") {
			return l
		}
	}
	return strings.Join(lines, "; ")
}

// tab is a page in a profile of its own: no cache, cookie, connection or session ticket of an earlier one.
type tab struct {
	ctx    context.Context
	cancel context.CancelFunc
}

func (b *browser) open(ctx context.Context) (*tab, error) {
	page, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	stop := context.AfterFunc(ctx, cancel)
	t := &tab{ctx: page, cancel: func() { stop(); cancel() }}
	if err := chromedp.Do(page); err != nil { // makes the tab, which lives as long as the context of this first call
		t.cancel()
		return nil, fmt.Errorf("open a page: %w", err)
	}
	return t, nil
}

// navigate loads a path of the server.
func (t *tab) navigate(path string, limit time.Duration) error {
	ctx, done := context.WithTimeout(t.ctx, limit)
	defer done()
	if err := chromedp.Do(ctx, chromedp.Navigate("https://"+hostName+path)); err != nil {
		return fmt.Errorf("load the page: %w", err)
	}
	return nil
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

// pageState makes a state of a page that is not the player.
const pageState = `({ events: [], position: 0, transfers: ['navigation', 'resource'].flatMap((t) => performance.getEntriesByType(t)).map((e) => (
	{ begin: performance.timeOrigin + e.startTime, end: e.responseEnd && performance.timeOrigin + e.responseEnd, bytes: e.transferSize && e.encodedBodySize,
	  file: e.name.split('/').pop() })) })`

// state asks the page; page says that it is not the player.
func (t *tab) state(page bool) (state, error) {
	limit, done := context.WithTimeout(t.ctx, 10*time.Second)
	defer done()
	var s state
	what := "lab.state()"
	if page {
		what = pageState
	}
	text, err := chromedp.Run(limit, chromedp.Evaluate[string]("JSON.stringify("+what+")"))
	if err == nil {
		err = json.Unmarshal([]byte(text), &s)
	}
	if err != nil {
		return s, fmt.Errorf("page: state: %w", err)
	}
	return s, nil
}
