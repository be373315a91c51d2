package capture

import (
	"net/netip"
	"reflect"
	"testing"
)

func TestSuggest(t *testing.T) {
	private, service := []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")}, []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
	packets := packetsOf(t,
		"192.168.1.5:4000 203.0.113.7:443 udp",                                           // listed
		"192.168.1.5:4001 198.51.100.1:443 udp", "198.51.100.1:443 192.168.1.5:4001 udp", // the missing edge
		"192.168.1.5:4002 198.51.100.2:443 udp",
		"10.9.9.9:4000 198.51.100.2:443 udp", // another machine
		"192.168.1.5:4003 192.168.1.9:9000 udp", "192.168.1.5:4003 198.51.100.9:443 tcp S")
	packets[len(packets)-1].PayloadBytes = 0
	for _, c := range []struct {
		name string
		rule Rule
		want []Peer
	}{
		{"clients", Rule{Clients: private}, []Peer{{"198.51.100.1", 20, 2}, {"198.51.100.2", 20, 2}, {"10.9.9.9", 10, 1}, {"203.0.113.7", 10, 1}}},
		{"servers", Rule{Servers: service}, []Peer{{"198.51.100.1", 20, 2}, {"198.51.100.2", 20, 2}, {"192.168.1.9", 10, 1}}},
		{"both", Rule{Clients: private, Servers: service}, []Peer{{"198.51.100.1", 20, 2}, {"198.51.100.2", 20, 2}, {"10.9.9.9", 10, 1}}},
	} {
		s := NewSuggester(c.rule)
		for i := range packets {
			s.Add(&packets[i])
		}
		if got := s.Peers(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
	if got := NewSuggester(Rule{Clients: private}).Peers(); got == nil || len(got) != 0 {
		t.Errorf("no packets: %#v", got)
	}
}
