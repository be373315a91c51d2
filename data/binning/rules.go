package binning

import (
	"fmt"
	"slices"
	"strings"

	"earshot/data/trace"
)

// Channel is one row of a series.
type Channel uint8

const (
	Bytes       Channel = iota // bytes of the packets that Config.Direction selects
	Packets                    // their number
	BytesUp                    // client to server, whatever Config.Direction says
	BytesDown                  // server to client
	PacketsUp                  // client to server
	PacketsDown                // server to client
)

var channelNames = []string{"bytes", "packets", "bytes_up", "bytes_down", "packets_up", "packets_down"}

// parts splits a channel into what it selects and whether it counts packets.
func (c Channel) parts(plain Select) (sel Select, packets bool) {
	switch c {
	case Packets:
		return plain, true
	case BytesUp:
		return Up, false
	case BytesDown:
		return Down, false
	case PacketsUp:
		return Up, true
	case PacketsDown:
		return Down, true
	}
	return plain, false
}

// Select is a choice of packets by direction.
type Select uint8

const (
	Down Select = iota // server to client
	Up                 // client to server
	Both               // every packet, those of unknown direction too
)

var selectNames = []string{"down", "up", "both"}

func (s Select) takes(d trace.Direction) bool {
	return s == Both || s == Up && d == trace.Up || s == Down && d == trace.Down
}

// Assign is the step that a packet belongs to.
type Assign uint8

const (
	Nearest Assign = iota // step k spans [(k - 1/2) s, (k + 1/2) s)
	Floor                 // step k spans [k s, (k + 1) s)
)

var assignNames = []string{"nearest", "floor"}

// Ties decides about a packet exactly between two steps; only Nearest knows such packets.
type Ties uint8

const (
	TiesUp   Ties = iota // the later step
	TiesEven             // the step with the even number, as Python's round does
)

var tiesNames = []string{"up", "even"}

// Edge decides about a packet within the duration that is nearest to step T, which does not exist.
type Edge uint8

const (
	Drop  Edge = iota // it is left out
	Clamp             // it counts in step T - 1
)

var edgeNames = []string{"drop", "clamp"}

var sizeNames = []string{"payload", "ip", "frame"}

// parse finds s in names.
func parse[E ~uint8](what string, names []string, s string) (E, error) {
	if i := slices.Index(names, s); i >= 0 {
		return E(i), nil
	}
	return 0, fmt.Errorf("binning: %s %q is unknown; it is one of %s", what, s, strings.Join(names, ", "))
}

func name[E ~uint8](names []string, e E) string {
	if int(e) < len(names) {
		return names[e]
	}
	return fmt.Sprintf("unknown(%d)", e)
}

// ParseChannel reads a channel's name; the Parse functions below do the same for the other choices.
func ParseChannel(s string) (Channel, error) { return parse[Channel]("channel", channelNames, s) }

// ParseChannels reads names between commas.
func ParseChannels(s string) ([]Channel, error) {
	var list []Channel
	for _, f := range strings.Split(s, ",") {
		c, err := ParseChannel(strings.TrimSpace(f))
		if err != nil {
			return nil, err
		}
		if slices.Contains(list, c) {
			return nil, fmt.Errorf("binning: channel %s is named twice", c)
		}
		list = append(list, c)
	}
	return list, nil
}

func ParseSelect(s string) (Select, error)   { return parse[Select]("direction", selectNames, s) }
func ParseAssign(s string) (Assign, error)   { return parse[Assign]("assignment", assignNames, s) }
func ParseTies(s string) (Ties, error)       { return parse[Ties]("rule for ties", tiesNames, s) }
func ParseEdge(s string) (Edge, error)       { return parse[Edge]("rule for the edge", edgeNames, s) }
func ParseSize(s string) (trace.Size, error) { return parse[trace.Size]("size", sizeNames, s) }

func (c Channel) String() string { return name(channelNames, c) }
func (s Select) String() string  { return name(selectNames, s) }
func (a Assign) String() string  { return name(assignNames, a) }
func (t Ties) String() string    { return name(tiesNames, t) }
func (e Edge) String() string    { return name(edgeNames, e) }

// SizeName is the name that ParseSize reads.
func SizeName(s trace.Size) string { return name(sizeNames, s) }
