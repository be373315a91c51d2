package lab

import (
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// join lays a cable between two namespaces: a pair of virtual Ethernet devices, one in each. Offload is off on both ends, so that
// what passes is what a wire would carry: without that, packets of 64 KiB do.
func join(a *namespace, nameA string, b *namespace, nameB string) error {
	ha, err := a.netlink()
	if err != nil {
		return err
	}
	defer ha.Close()
	hb, err := b.netlink()
	if err != nil {
		return err
	}
	defer hb.Close()
	pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: nameA}, PeerName: nameB, PeerNamespace: netlink.NsFd(b.file.Fd())}
	if err := ha.LinkAdd(pair); err != nil {
		return fmt.Errorf("link %s to %s: %w", nameA, nameB, err)
	}
	for _, end := range []struct {
		h    *netlink.Handle
		name string
	}{{ha, nameA}, {hb, nameB}} {
		l, err := end.h.LinkByName(end.name)
		if err == nil {
			err = end.h.LinkSetGSOMaxSegs(l, 1)
		}
		if err == nil {
			err = end.h.LinkSetGSOMaxSize(l, mtu)
		}
		if err == nil {
			err = end.h.LinkSetUp(l)
		}
		if err != nil {
			return fmt.Errorf("link %s: %w", end.name, err)
		}
	}
	return nil
}

// address gives an interface its address and brings the namespace's loopback up.
func (n *namespace) address(iface, ip string) error {
	h, err := n.netlink()
	if err != nil {
		return err
	}
	defer h.Close()
	lo, err := h.LinkByName("lo")
	if err == nil {
		err = h.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("link lo: %w", err)
	}
	l, err := h.LinkByName(iface)
	if err != nil {
		return fmt.Errorf("link %s: %w", iface, err)
	}
	a, err := netlink.ParseAddr(fmt.Sprintf("%s/%d", ip, prefixBits))
	if err == nil {
		err = h.AddrAdd(l, a)
	}
	if err != nil {
		return fmt.Errorf("link %s: address %s: %w", iface, ip, err)
	}
	return nil
}

// netlink opens a control socket inside the namespace.
func (n *namespace) netlink() (*netlink.Handle, error) {
	var h *netlink.Handle
	err := n.do(func() (err error) {
		h, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("netlink: %w", err)
	}
	return h, nil
}
