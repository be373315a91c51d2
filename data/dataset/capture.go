package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"earshot/data/trace"
)

// Reasons for leaving a capture out of every tensor, table and split.
const (
	Duplicate = "duplicate" // an earlier capture has the same packets
	Empty     = "empty"     // no packet, or no payload byte
)

// MTU is the largest IP packet of an ordinary link; larger ones were captured behind segmentation or receive offload.
const MTU = 1500

// Capture is one row of captures-*.parquet. The fields before Labels are the contract with other programs; those
// behind it say more about the source.
type Capture struct {
	ID           int64  `parquet:"capture_id"`
	Source       string `parquet:"source"` // path as given, see Text; "file#name" for one of several captures in a file
	Digest       string `parquet:"digest"` // of the (relative time, direction, payload) list
	StartUS      int64  `parquet:"start_us"`
	DurationUS   int64  `parquet:"duration_us"` // from the first packet to the latest one
	Packets      int64  `parquet:"packets"`
	BytesUp      int64  `parquet:"bytes_up"` // payload
	BytesDown    int64  `parquet:"bytes_down"`
	BytesUnknown int64  `parquet:"bytes_unknown"`
	Excluded     string `parquet:"excluded"`

	Labels map[string]string `parquet:"-"` // one column label_AXIS each

	SourceDigest string `parquet:"source_digest"` // SHA-256 of the file
	NearDigest   string `parquet:"near_digest"`   // of the first 100 payload sizes
	BytesIP      int64  `parquet:"bytes_ip"`
	BytesFrame   int64  `parquet:"bytes_frame"`
	Oversize     int64  `parquet:"oversize_packets"` // larger than MTU
	Flows        int64  `parquet:"flows"`
	Link         string `parquet:"link"`
	Records      int64  `parquet:"records"`  // in the file
	Decoded      int64  `parquet:"decoded"`  // of them, IP
	FirstUS      int64  `parquet:"first_us"` // smallest time
	LastUS       int64  `parquet:"last_us"`  // largest time
	Guessed      bool   `parquet:"direction_guessed"`
	ProblemAt    int64  `parquet:"problem_packet"`
	Problem      string `parquet:"problem"`
}

// nearPackets is how many packets two captures must share in size to be near duplicates.
const nearPackets = 100

// summary adds up a capture's packets as they pass by.
type summary struct {
	first     int64
	all, near hash.Hash
	buf       []byte
}

func newSummary() *summary { return &summary{all: sha256.New(), near: sha256.New()} }

// add counts the next packets of c.
func (s *summary) add(c *Capture, pk []trace.Packet) {
	s.buf = s.buf[:0]
	var near []byte
	for i := range pk {
		p := &pk[i]
		if c.Packets == 0 {
			s.first = p.Time
		}
		s.buf = binary.LittleEndian.AppendUint64(s.buf, uint64(p.Time-s.first))
		s.buf = append(s.buf, byte(p.Direction))
		s.buf = binary.LittleEndian.AppendUint32(s.buf, uint32(p.PayloadBytes))
		if c.Packets < nearPackets {
			near = binary.LittleEndian.AppendUint32(near, uint32(p.PayloadBytes))
		}
		c.Packets++
		c.DurationUS = max(c.DurationUS, p.Time-s.first)
		switch p.Direction {
		case trace.Up:
			c.BytesUp += int64(p.PayloadBytes)
		case trace.Down:
			c.BytesDown += int64(p.PayloadBytes)
		default:
			c.BytesUnknown += int64(p.PayloadBytes)
		}
		c.BytesIP += int64(p.IPBytes)
		c.BytesFrame += int64(p.FrameBytes)
		if p.IPBytes > MTU {
			c.Oversize++
		}
	}
	s.all.Write(s.buf)
	s.near.Write(near)
}

func (s *summary) end(c *Capture) {
	c.Digest = hex.EncodeToString(s.all.Sum(nil))
	c.NearDigest = hex.EncodeToString(s.near.Sum(nil))
	if c.Bytes() == 0 {
		c.Excluded = Empty
	}
}

// Bytes is the payload of all directions.
func (c *Capture) Bytes() int64 { return c.BytesUp + c.BytesDown + c.BytesUnknown }
