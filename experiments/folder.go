package experiments

// Manifest is manifest.json: what was run, on what, by what. It is written before the first cell.
type Manifest struct {
	Format   int      `json:"format"`
	Study    string   `json:"study"`
	Settings Study    `json:"settings"`
	Data     DataInfo `json:"data"`
	Cells    []string `json:"cells"` // folder names in the order of the sweep
	Version  Version  `json:"version"`
	Machine  Machine  `json:"machine"`
}

// DataInfo says which captures a run was made from.
type DataInfo struct {
	Path      string  `json:"path"` // as given, a folder or bundled:NAME; empty: generated, in the folder data of the run
	Name      string  `json:"name"`
	Origin    string  `json:"origin"`
	License   string  `json:"license"`
	Digest    string  `json:"digest"`
	Synthetic bool    `json:"synthetic"`       // generated traffic: every table and figure says SYNTHETIC
	Bayes     float64 `json:"bayes,omitempty"` // accuracy of the best possible rule, when the data are synthetic
	Captures  int     `json:"captures"`        // of the chosen classes, without duplicates and empties
	Excluded  int     `json:"excluded"`        // duplicates and empties left out

	Skipped []string `json:"skipped,omitempty"` // data sets of an archive that could not be used, with the reason
}

// Version is the program that ran.
type Version struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// Machine is where it ran; it may differ between equal runs.
type Machine struct {
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	CPU     string `json:"cpu"`
	Cores   int    `json:"cores"`
	Threads int    `json:"threads"`
	Kernel  string `json:"kernel"` // kernel tier
}

// Split is one value of splits.json.
type Split struct {
	Train []int64 `json:"train"` // capture ids
	Test  []int64 `json:"test"`
}

// Run is a run folder, opened.
type Run struct {
	Dir      string
	Manifest Manifest
	Cells    []*Cell  // in the order of the sweep; those that exist
	Missing  []string // names of the cells that the sweep has not reached
	Splits   map[string]Split
	Captures []Capture // by capture_id
	Audits   []*AuditResult

	groups   []Group // Summary of summedUp cells
	summedUp int
}

// Capture is one row of captures.csv: a capture of the study, with what the controls and the durations table need.
type Capture struct {
	ID           int64
	Source       string
	Class        int // index into Classes
	StartUS      int64
	DurationUS   int64
	Packets      int64
	BytesUp      int64
	BytesDown    int64
	BytesUnknown int64
	SeenBytes    int64 // of the packets that the series count: direction, size and first DurationUS of Settings
	SeenPackets  int64
	Labels       map[string]string // axis to value, every axis of the data set
}

// Series is what the correlation figures are drawn from: series.npz, in the format of the command bin.
type Series struct {
	X         []float32 // (N, C, T)
	N, C, T   int
	Y         []int // (N)
	Classes   []string
	CaptureID []int64
	StepUS    int64
}

// Row returns row i, (C, T).
func (s *Series) Row(i int) []float32 { return s.X[i*s.C*s.T : (i+1)*s.C*s.T] }

// Burst is the first capture of one class, packet by packet: packets.csv, addresses replaced.
type Burst struct {
	Class     string
	CaptureID int64
	Source    string
	Packets   []PacketRow
}

// PacketRow is one packet of a Burst, in the columns of the command "data packets".
type PacketRow struct {
	No           int // counts from 1
	TimeUS       int64
	Src, Dst     string // "client-1", "server-1", "server-2", …: no address leaves the data set; "client", "server" where it has none
	SPort, DPort uint16
	Protocol     uint8
	Direction    uint8 // 0 unknown, 1 up, 2 down
	PayloadBytes int32
	IPBytes      int32
	FrameBytes   int32
}

// FolderFormat is the number in manifest.json and cell.json.
const FolderFormat = 1
