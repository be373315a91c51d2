package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"earshot/data/dataset"
)

// hosts is the list of the service's addresses. It lies in the data set as a text file that a person may edit: an address or
// a network in each line, # comments. Addresses that the browser's own network events name are added at its end.
type hosts struct {
	path string
	list []netip.Prefix
}

const hostsHeading = "# Addresses of the service. Edit freely: an address or a network in each line. data collect adds those that its browser\n# meets; data suggest names peers that are missing.\n"

func openHosts(path string, known []netip.Prefix) (*hosts, error) {
	h := &hosts{path: path}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if err := replaceFile(path, []byte(hostsHeading)); err != nil {
			return nil, fmt.Errorf("lab: %w", err)
		}
	}
	var err error
	if h.list, err = dataset.ParsePrefixes("@" + path); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	return h, h.append(known)
}

// add puts addresses on the list that are not on it.
func (h *hosts) add(addrs []netip.Addr) error {
	var more []netip.Prefix
	for _, a := range addrs {
		more = append(more, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
	}
	return h.append(more)
}

func (h *hosts) append(list []netip.Prefix) error {
	var text strings.Builder
	slices.SortFunc(list, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	for _, p := range list {
		if slices.ContainsFunc(h.list, func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) }) {
			continue
		}
		h.list = append(h.list, p)
		if p.IsSingleIP() {
			fmt.Fprintln(&text, p.Addr())
		} else {
			fmt.Fprintln(&text, p)
		}
	}
	if text.Len() == 0 {
		return nil
	}
	b, err := os.ReadFile(h.path)
	if err == nil {
		if n := len(b); n > 0 && b[n-1] != '\n' {
			b = append(b, '\n')
		}
		err = replaceFile(h.path, append(b, text.String()...))
	}
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	return nil
}

func (h *hosts) has(a netip.Addr) bool {
	return slices.ContainsFunc(h.list, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}
