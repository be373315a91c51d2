package capture

import (
	"cmp"
	"net/netip"
	"slices"
)

// Peer is an address with the payload that it exchanged.
type Peer struct {
	Peer    string `json:"peer"`
	Bytes   int64  `json:"bytes"`
	Packets int64  `json:"packets"`
}

// Suggester collects the peers that carry bytes and are on no list, so that a list of service addresses can be completed
// (SP-11). Its memory grows with the pairs of addresses, not with the packets.
type Suggester struct {
	rule  Rule
	pairs map[[2]netip.Addr]*pair
}

// pair is what two addresses exchanged, either way.
type pair struct {
	bytes, packets int64
	server         netip.Addr // by the first packet's guess
}

// NewSuggester starts a collection; the rule holds what is known already.
func NewSuggester(rule Rule) *Suggester {
	return &Suggester{rule: rule, pairs: map[[2]netip.Addr]*pair{}}
}

// Add takes one record. Packets without payload do not count.
func (s *Suggester) Add(r *Record) {
	if r.PayloadBytes == 0 {
		return
	}
	a, b := r.Src.Addr(), r.Dst.Addr()
	key := [2]netip.Addr{a, b}
	if b.Less(a) {
		key = [2]netip.Addr{b, a}
	}
	p := s.pairs[key]
	if p == nil {
		p = &pair{server: b}
		if g := guess(r); g < 0 || g == 0 && guessHosts(a, b) < 0 {
			p.server = a
		}
		s.pairs[key] = p
	}
	p.bytes += int64(r.PayloadBytes)
	p.packets++
}

// Peers returns the peers on no list, those with the most bytes first.
//
// Pairs with a listed server are explained. Of a pair with one client the other end is a peer; a client is an address
// on the list of clients or, without that list, one that also talks to a listed server. Of the other pairs both ends are
// peers when clients were listed (either may be missing), and else the end that looks like the server.
func (s *Suggester) Peers() []Peer {
	client := map[netip.Addr]bool{}
	for key := range s.pairs {
		for i, a := range key {
			if len(s.rule.Clients) > 0 {
				client[a] = contains(s.rule.Clients, a)
			} else if !contains(s.rule.Servers, a) && contains(s.rule.Servers, key[1-i]) {
				client[a] = true
			}
		}
	}
	sums := map[netip.Addr]*Peer{}
	add := func(a netip.Addr, p *pair) {
		q := sums[a]
		if q == nil {
			q = &Peer{Peer: a.String()}
			sums[a] = q
		}
		q.Bytes += p.bytes
		q.Packets += p.packets
	}
	for key, p := range s.pairs {
		a, b := key[0], key[1]
		switch {
		case contains(s.rule.Servers, a) || contains(s.rule.Servers, b):
		case client[a] && client[b]:
		case client[a]:
			add(b, p)
		case client[b]:
			add(a, p)
		case len(s.rule.Clients) > 0 && a != b:
			add(a, p)
			add(b, p)
		default:
			add(p.server, p)
		}
	}
	out := make([]Peer, 0, len(sums))
	for _, q := range sums {
		out = append(out, *q)
	}
	slices.SortFunc(out, func(a, b Peer) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.Packets, a.Packets), cmp.Compare(a.Peer, b.Peer))
	})
	return out
}
