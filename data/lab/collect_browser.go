package lab

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// PlayButton is how the web player marks its play button; it has kept this mark for years, unlike its looks.
const PlayButton = `[data-testid="control-button-playpause"]`

// ChromeOptions say which browser plays.
type ChromeOptions struct {
	Path     string // of the program
	Profile  string // its folder, in which the operator has logged in
	Headless bool   // without a window; music under copy protection wants one
	Root     bool   // the program runs as root, where the browser has no sandbox
	Button   string // CSS selector of the play button
}

// Chrome is a Player.
type Chrome struct {
	o      ChromeOptions
	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex
	peers    map[netip.Addr]bool
	received int64
}

// StartChrome starts the browser with one page.
func StartChrome(ctx context.Context, o ChromeOptions) (*Chrome, error) {
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(o.Path),
		chromedp.Flag("headless", o.Headless), chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.ModifyCmdFunc(func(c *exec.Cmd) { dieWithParent(c) }))
	if o.Profile != "" {
		opts = append(opts, chromedp.UserDataDir(o.Profile))
	}
	if o.Root {
		opts = append(opts, chromedp.NoSandbox)
	}
	alloc, cancelAlloc := chromedp.NewExecAllocator(ctx, opts...)
	page, cancelPage := chromedp.NewContext(alloc)
	c := &Chrome{o: o, ctx: page, cancel: func() { cancelPage(); cancelAlloc() }, peers: map[netip.Addr]bool{}}
	err := chromedp.Listen(page, c.event)
	if err == nil {
		err = chromedp.Do(page, func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
			_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
			return chromedp.Void{}, err
		})
	}
	if err != nil {
		c.cancel()
		return nil, fmt.Errorf("lab: start %s: %w", o.Path, err)
	}
	return c, nil
}

// event notes where requests went, and what they brought.
func (c *Chrome) event(ev any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := ev.(type) {
	case *network.EventResponseReceived:
		if a, err := netip.ParseAddr(strings.Trim(e.Response.RemoteIPAddress, "[]")); err == nil {
			c.peers[a.Unmap()] = true
		}
	case *network.EventLoadingFinished:
		c.received += int64(e.EncodedDataLength)
	}
}

func (c *Chrome) do(ctx context.Context, what string, limit time.Duration, a chromedp.Action[chromedp.Void]) error {
	inner, done := context.WithTimeout(c.ctx, limit)
	defer done()
	stop := context.AfterFunc(ctx, done)
	defer stop()
	err := chromedp.Do(inner, a)
	if err == nil {
		return nil
	}
	select {
	case <-chromedp.FromContext(c.ctx).Browser.LostConnection:
		return &ServiceError{Fatal: true, Err: fmt.Errorf("browser: %s: it has ended; go on with the same command", what)}
	default:
		return fmt.Errorf("browser: %s: %w", what, err)
	}
}

// Open is Player's.
func (c *Chrome) Open(ctx context.Context, url string) error {
	err := c.do(ctx, "empty the cache", 30*time.Second, func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, network.ClearBrowserCache, struct{}{})
		return chromedp.Void{}, err
	})
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.peers, c.received = map[netip.Addr]bool{}, 0
	c.mu.Unlock()
	return c.do(ctx, "open "+url, time.Minute, chromedp.Navigate(url))
}

// Press is Player's.
func (c *Chrome) Press(ctx context.Context) error {
	return c.do(ctx, "press play", 30*time.Second, chromedp.Click(c.o.Button))
}

// Peers is Player's.
func (c *Chrome) Peers() []netip.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []netip.Addr
	for a := range c.peers {
		list = append(list, a)
	}
	return list
}

// Received is Player's.
func (c *Chrome) Received() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.received
}

// Close ends the browser.
func (c *Chrome) Close() error {
	c.cancel()
	return nil
}
