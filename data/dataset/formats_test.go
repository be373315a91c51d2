package dataset

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"earshot/data/binning"
	"earshot/data/dataset/npz"
	"earshot/data/trace"
)

func TestDecimal(t *testing.T) {
	for _, tc := range []struct {
		s     string
		shift int
		want  int64
	}{
		{"0", 6, 0}, {"0.0", 6, 0}, {"1", 6, 1_000_000}, {"1.5", 6, 1_500_000}, {".5", 6, 500_000}, {"2.", 6, 2_000_000}, {"+3", 0, 3},
		{"1600000000.123456", 6, 1_600_000_000_123_456},
		{"0.123456789", 6, 123_456},         // nanoseconds: down
		{"0.1234569999", 6, 123_457},        // a printed float: nearest
		{"0.30000000000000004", 6, 300_000}, //
		{"0.29999999999999999", 6, 300_000}, //
		{"0.00020551681518554688", 6, 206},  // as in the Echo data
		{"1e-05", 6, 10}, {"1.5E-3", 6, 1500}, {"2e3", 6, 2_000_000_000}, {"1e-7", 6, 0}, {"5e-300", 6, 0}, {"0e400", 6, 0},
		{"12.345", 0, 12}, {"12.345", 3, 12_345}, {"-0.0000001", 6, -1}, {"-1.5", 6, -1_500_000}, {"-2", 0, -2},
		{"9000000000000", 6, -1}, // out of range
	} {
		got, err := decimal(tc.s, tc.shift)
		if tc.want == -1 && tc.s[0] != '-' {
			if err == nil {
				t.Errorf("%s: %d, want out of range", tc.s, got)
			}
			continue
		}
		if err != nil || got != tc.want {
			t.Errorf("%s: %d, %v; want %d", tc.s, got, err, tc.want)
		}
	}
	for _, s := range []string{"", "-", ".", "1.2.3", "x", "1e", "e5", "1e999", "--1", "1 2", "nan", "inf", "0x10", "99999999999999999999"} {
		if got, err := decimal(s, 6); err == nil {
			t.Errorf("%q: %d, no error", s, got)
		}
	}
}

// csvTraces decodes a csv and returns its captures in the text notation, by source.
func csvTraces(t *testing.T, spec, text string) (out []string, problem string) {
	t.Helper()
	f, err := ParseCSVFormat(spec)
	if err != nil {
		t.Fatal(err)
	}
	tr := &trace.Trace{}
	err = f.read(strings.NewReader(text), Capture{Source: "f"}, func(p piece) error {
		switch {
		case p.start:
			tr = &trace.Trace{}
		case p.packets != nil:
			tr.Packets = append(tr.Packets, *p.packets...)
		default:
			tr.Start = p.c.StartUS
			s := fmt.Sprintf("%s: %s", p.c.Source, tr)
			if p.c.Problem != "" {
				s += fmt.Sprintf("; packet %d: %s", p.c.ProblemAt, p.c.Problem)
			}
			out = append(out, s)
		}
		return nil
	})
	if err != nil {
		problem = err.Error()
	}
	return out, problem
}

func TestCSV(t *testing.T) {
	for _, tc := range []struct{ name, spec, text, want, problem string }{
		{"default", "", "0.5,100,1\n0.500012,1448,-1\n", "f: 0 >100, 12 <1448", ""},
		{"header told by itself", "", "time,size,direction\n0,1,1\n", "f: 0 >1", ""},
		{"header named", "time=when,size=len,direction=dir,up=out", "len,when,dir\n5,1,out\n6,2,in\n7,3,\n", "f: 0 >5, 1000000 <6, 2000000 ?7", ""},
		{"header=no", "time=0,size=1,header=no", "1,2\n", "f: 0 ?2", ""},
		{"header=yes drops the first line", "time=0,size=1,header=yes", "1,2\n3,4\n", "f: 0 ?4", ""},
		{"Echo", "time=1,size=2,direction=3", ",time,size,direction\n0,0.0,176.0,1.0\n1,0.00020551681518554688,1500.0,-1.0\n", "f: 0 >176, 206 <1500", ""},
		{"sizes only", "time=none,frame=frame.len", "frame.len\n66\n1414\n", "f: 0 ?66, 0 ?1414", ""},
		{"signed", "time=0,size=1,direction=sign,unit=us", "10,1292\n22,-82\n", "f: 0 >1292, 12 <82", ""},
		{"signed, minus is up", "time=0,size=1,direction=sign,unit=us,up=-1", "10,1292\n22,-82\n", "f: 0 <1292, 12 >82", ""},
		{"sessions", "time=t,size=len,direction=sign,unit=us,session=session", "session,A\nt,len\n5,1\n6,-2\nsession,B\nt,len\n9,3\nsession,C\nt,len\n", "f#A: 0 >1, 1 <2|f#B: 0 >3|f#C: ", ""},
		{"milliseconds", "time=0,size=1,unit=ms", "1.5,1\n2.25,2\n", "f: 0 ?1, 750 ?2", ""},
		{"three sizes", "time=0,payload=1,ip=2,frame=3", "0,1,2,3\n", "f: 0 ?1/2/3", ""},
		{"a size without a column is the one before", "time=0,size=1,frame=2", "0,1,2\n", "f: 0 ?1/1/2", ""},
		{"... or behind", "time=0,ip=1", "0,7\n", "f: 0 ?7", ""},
		{"Unix time", "", "1600000000.000001,5,1\n1600000000.000003,6,1\n", "f: @1600000000000001 0 >5, 2 >6", ""},
		{"quotes, CRLF, mark", "", "\ufeff\"0\",\"5\",1\r\n1,6,1\r\n", "f: 0 >5, 1000000 >6", ""},
		{"tabs", "time=0,size=1,sep=tab", "0\t5\n", "f: 0 ?5", ""},
		{"odd line keeps the packets before", "", "0,1,1\n1,2,1\nx,3,1\n4,4,1\n", `f: 0 >1, 1000000 >2; packet 3: line 3: time "x": is no number`, ""},
		{"a line too short", "", "0,1,1\n1\n", "f: 0 >1; packet 2: line 2: column 1 of size is missing; say with --csv which column is what", ""},
		{"negative size", "", "0,1,1\n1,-2,1\n", `f: 0 >1; packet 2: line 2: size "-2" is no length in bytes`, ""},
		{"nothing but a header", "", "time,size,direction\n", "f: ", ""},
		{"nothing at all", "", "", "f: ", ""},
		{"no column", "time=when,size=1", "time,size\n0,1\n", "", `line 1: no column "when" in the header "time,size"`},
		{"no number at all", "", "a,b,c\nd,e,f\n", "", `line 2: time "d": is no number`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, problem := csvTraces(t, tc.spec, tc.text)
			if s := strings.Join(got, "|"); s != tc.want || problem != tc.problem {
				t.Errorf("got  %q, %q\nwant %q, %q", s, problem, tc.want, tc.problem)
			}
		})
	}
	for _, bad := range []string{"time=0", "size=1", "time", "time=0,size=1,color=2", "time=0,size=1,unit=h", "time=0,size=1,header=maybe", "time=0,size=1,sep=x", "time=,size=1"} {
		if _, err := ParseCSVFormat(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"0,1,1\n", "t,s\nsession,A\n1,2\n", "\"0\n", "1e-5,3.0,-1.0\n\n", "time,size,direction\n0,0,0\n"} {
		f.Add("time=0,size=1,direction=2", s)
		f.Add("time=t,size=s,direction=sign,session=session", s)
	}
	f.Fuzz(func(t *testing.T, spec, text string) {
		format, err := ParseCSVFormat(spec)
		if err != nil {
			return
		}
		format.read(strings.NewReader(text), Capture{}, func(p piece) error {
			if p.packets != nil {
				for _, q := range *p.packets {
					if q.PayloadBytes < 0 || q.IPBytes < 0 || q.FrameBytes < 0 {
						t.Fatalf("%+v", q)
					}
				}
			}
			return nil
		})
	})
}

func TestUCR(t *testing.T) {
	ts := "# comment\n@problemName X\n@timeStamps false\n@univariate false\n@dimensions 2\n@classLabel true a b\n@data\n1,2.5,-3:4,5,6:a\n7,8,?:1,1,1:b\n"
	for _, tc := range []struct {
		name, text string
		ts         bool
		want, err  string
	}{
		{"ts", ts, true, "2 2 3 [1 2.5 -3 4 5 6 7 8 NaN 1 1 1] [a b]", ""},
		{"ts without labels", "@classLabel false\n@data\n1,2\n3,4\n", true, "2 1 2 [1 2 3 4] [ ]", ""},
		{"tsv", "1\t0.5\t1e2\n-1\t3\t4\n", false, "2 1 2 [0.5 100 3 4] [1 -1]", ""},
		{"commas", "1,0.5,2\n2,3,4\n", false, "2 1 2 [0.5 2 3 4] [1 2]", ""},
		{"blanks of the old archive", "  1.0000000e+00   5.0e-01  2.0\n", false, "1 1 2 [0.5 2] [1]", ""},
		{"unequal", "1,1,2\n1,1,2,3\n", false, "", "line 2: 3 values, 2 before; cut or pad the series to one length"},
		{"dimensions", "@data\n1:2:a\n1:a\n", true, "", "line 3: 1 dimensions, 2 before"},
		{"no number", "1,x\n", false, "", `line 1: value "x" is no number; correct the file`},
		{"no series", "@data\n", true, "", "no series; a .ts file has them behind @data"},
		{"a label alone", "1\n", false, "", "line 1: a label and nothing else"},
		{"time stamps", "@timeStamps true\n@data\n", true, "", "line 1: series with time stamps are not supported"},
		{"data before @data", "1,2:a\n", true, "", `line 1: "1,2:a" before @data; a .ts file has its series behind that line`},
	} {
		u, err := readUCR(strings.NewReader(tc.text), tc.ts)
		got, problem := "", ""
		if err != nil {
			problem = err.Error()
		} else {
			got = fmt.Sprint(u.N, u.C, u.T, u.X, u.Labels)
		}
		if got != strings.ReplaceAll(tc.want, ", ", " ") || problem != tc.err {
			t.Errorf("%s: %s, %q; want %s, %q", tc.name, got, problem, tc.want, tc.err)
		}
	}
}

func FuzzUCR(f *testing.F) {
	f.Add("@classLabel true a\n@data\n1,2:3,4:a\n", true)
	f.Add("1\t2\t3\n", false)
	f.Fuzz(func(t *testing.T, text string, ts bool) {
		u, err := readUCR(strings.NewReader(text), ts)
		if err == nil && (len(u.X) != u.N*u.C*u.T || len(u.Labels) != u.N) {
			t.Fatalf("%d values for (%d, %d, %d)", len(u.X), u.N, u.C, u.T)
		}
	})
}

// TestSeries takes an archive's two files through the store to a tensor and the official split.
func TestSeries(t *testing.T) {
	dir := tree(t, map[string]string{
		"P_TRAIN.tsv": "1\t1\t2\t3\n2\t4\t5\t6\n1\t1\t2\t3\n", // a row twice: published splits count both
		"P_TEST.tsv":  "2\t7\t8\t9\n1\t-1\t-2\t-3\n",
	})
	dst := filepath.Join(t.TempDir(), "ds")
	s, _, _, err := imported(t, dst, ImportOptions{Format: UCRs}, dir)
	if err != nil {
		t.Fatal(err)
	}
	x, err := Bin(s, "class", nil, binning.Default())
	if err != nil {
		t.Fatal(err)
	}
	if x.N != 5 || x.C != 1 || x.T != 3 || fmt.Sprint(x.X, x.Y, x.Classes) != "[7 8 9 -1 -2 -3 1 2 3 4 5 6 1 2 3] [1 0 0 1 0] [1 2]" {
		t.Errorf("%+v", x)
	}
	caps, _, err := s.Labelled("class", nil)
	if err != nil {
		t.Fatal(err)
	}
	sp, _ := ParseSplits("official")
	splits, err := sp.Split(caps, "class", 1)
	if err != nil || fmt.Sprint(splits) != "[{official [2 3 4] [0 1]}]" {
		t.Error(splits, err)
	}
	if _, r, _, err := imported(t, dst, ImportOptions{Format: UCRs}, dir); err != nil || r.Skipped != 5 {
		t.Error(r, err)
	}
	w, err := Append(dst)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Add(Capture{}, trace.MustParse("0 <1")); err == nil || !strings.Contains(err.Error(), "the set holds series") {
		t.Error(err)
	}
	bad := tree(t, map[string]string{"x.tsv": "1\t?\n"})
	if _, _, log, err := imported(t, filepath.Join(t.TempDir(), "ds"), ImportOptions{Format: UCRs}, bad); err == nil || !strings.Contains(err.Error(), "x.tsv: series 0 has missing values") || len(log) > 0 {
		t.Error(log, err)
	}
}

func TestNPZImport(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x.npz")
	write := func(a ...npz.Named) {
		t.Helper()
		if err := npz.Write(file, a...); err != nil {
			t.Fatal(err)
		}
	}
	load := func(f NPZFormat) (*Set, []string, error) {
		s, _, log, err := imported(t, filepath.Join(t.TempDir(), "ds"), ImportOptions{NPZ: f}, file)
		return s, log, err
	}
	write(npz.Named{Name: "X", Array: npz.Float64([]float64{100, -1448, -5, 0, 7, 0, -9, 0}, 2, 4)}, npz.Named{Name: "y", Array: npz.Int64([]int64{1, 0})},
		npz.Named{Name: "classes", Array: npz.Strings([]string{"p", "q"})})
	s, _, err := load(NPZFormat{})
	if err != nil {
		t.Fatal(err)
	}
	if a, _ := s.Trace(0); a.String() != "0 >100, 0 <1448, 0 <5" || s.Captures[0].Labels["class"] != "q" {
		t.Error(a, s.Captures[0])
	}
	write(npz.Named{Name: "X", Array: npz.Float64([]float64{0, -0.5, 1.25, 0}, 1, 4)})
	if s, _, err = load(NPZFormat{Values: "time"}); err != nil {
		t.Fatal(err)
	}
	if a, _ := s.Trace(0); a.String() != "0 ?512, 500000 <512, 1250000 >512" {
		t.Error(a)
	}
	write(npz.Named{Name: "X", Array: npz.Float32([]float32{1, 2, 3, 4}, 1, 2, 2)}, npz.Named{Name: "y", Array: npz.Strings([]string{"z"})})
	if s, _, err = load(NPZFormat{}); err != nil {
		t.Fatal(err)
	}
	if x, err := Bin(s, "class", nil, binning.Default()); err != nil || fmt.Sprint(x.X, x.N, x.C, x.T, x.Classes) != "[1 2 3 4] 1 2 2 [z]" {
		t.Error(x, err)
	}
	write(npz.Named{Name: "X", Array: npz.Float32([]float32{1, 2}, 2, 1)}, npz.Named{Name: "y", Array: npz.Int64([]int64{1})})
	if _, log, err := load(NPZFormat{}); err == nil || !strings.Contains(err.Error(), "1 labels y for 2 rows of X") {
		t.Error(log, err)
	}
	for _, bad := range []string{"values=x", "size=0", "size=x", "color=1"} {
		if _, err := ParseNPZFormat(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// TestExport writes npz and csv; the npz comes back as the set it was.
func TestExport(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ds")
	traces := fill(t, dir, 4, 2, 0, 3)
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if err := Export(s, NPZ, out+"/x.npz"); err != nil {
		t.Fatal(err)
	}
	back, _, _, err := imported(t, out+"/ds", ImportOptions{}, out+"/x.npz")
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range []int64{0, 1, 3} { // 2 is empty
		a, b := s.Captures[id], back.Captures[i]
		if a.Digest != b.Digest || a.Source != b.Source || a.StartUS != b.StartUS || fmt.Sprint(a.Labels) != fmt.Sprint(b.Labels) || a.BytesIP != b.BytesIP {
			t.Errorf("%+v\n%+v", a, b)
		}
	}
	if err := Export(s, CSV, out+"/x.csv"); err != nil {
		t.Fatal(err)
	}
	f, _ := ParseCSVFormat("time=t_us,payload=payload_bytes,ip=ip_bytes,frame=frame_bytes,direction=direction,unit=us")
	var n int
	var rows []string
	f.decode(out+"/x.csv", Capture{}, func(p piece) error {
		if p.packets != nil {
			n += len(*p.packets)
			for _, q := range *p.packets {
				rows = append(rows, fmt.Sprint(q.PayloadBytes, q.IPBytes, q.FrameBytes))
			}
		}
		return nil
	})
	p := traces[3].Packets[2]
	if n != 9 || rows[8] != fmt.Sprint(p.PayloadBytes, p.IPBytes, p.FrameBytes) {
		t.Error(n, rows)
	}
	if err := Export(s, "xlsx", out+"/x"); err == nil {
		t.Error("xlsx is written")
	}
	if got := string(appendCell(nil, `a,"b"`)); got != `,"a,""b"""` {
		t.Error(got)
	}
}

func TestMerge(t *testing.T) {
	same := pcapText("0 >100, 10 <1000")
	one := tree(t, map[string]string{"m/a_1.pcap": same, "m/c_1.pcap": pcapText("0 >1")})
	two := tree(t, map[string]string{"m/a_9.pcap": same, "m/b_1.pcap": pcapText("0 >2"), "m/e_1.pcap": pcapText("")})
	out := t.TempDir()
	a, _, _, err := imported(t, out+"/a", ImportOptions{Clients: client10, Labels: labeler(t, `(?P<song>[a-z])_\d`), License: "MIT"}, one)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := imported(t, out+"/b", ImportOptions{Clients: client10, Labels: labeler(t, `(?P<song>[a-z])_(?P<take>\d)`), License: "none"}, two); err != nil {
		t.Fatal(err)
	}
	if err := Merge(out+"/c", out+"/a", out+"/b", out+"/a"); err != nil {
		t.Fatal(err)
	}
	s, err := Open(out + "/c")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range s.Captures {
		got = append(got, strings.Join([]string{filepath.Base(c.Source), c.Labels["song"], c.Labels["take"], c.Excluded}, " "))
		tr, err := s.Trace(c.ID)
		if err != nil || tr.Digest() != c.Digest {
			t.Error(err)
		}
	}
	want := []string{"a_1.pcap a  ", "c_1.pcap c  ", "a_9.pcap a 9 duplicate", "b_1.pcap b 1 ", "e_1.pcap e 1 empty"}
	slices.Sort(got) // the two folders' names decide the order
	slices.Sort(want)
	if !slices.Equal(got, want) && !slices.Equal(got, []string{"a_1.pcap a  duplicate", "a_9.pcap a 9 ", "b_1.pcap b 1 ", "c_1.pcap c  ", "e_1.pcap e 1 empty"}) {
		t.Errorf("%q", got)
	}
	if m := s.Manifest; m.License != "MIT; none" || fmt.Sprint(m.Axes, m.Clients) != "[song take] [10.0.0.0/8]" {
		t.Errorf("%+v", m)
	}
	if err := Merge(out+"/c", out+"/a", out+"/b"); err == nil {
		t.Error("an existing folder is merged into")
	}
	// Other labels for the same packets.
	if _, _, _, err := imported(t, out+"/d", ImportOptions{Clients: client10, Labels: labeler(t, `(?P<song>9)`)}, two); err != nil {
		t.Fatal(err)
	}
	if err := Merge(out+"/e", out+"/a", out+"/d"); err == nil || !strings.Contains(err.Error(), "two labels") || IsSet(out+"/e") {
		t.Error(err)
	}
	if left, _ := filepath.Glob(out + "/.tmp*"); len(left) > 0 {
		t.Error(left)
	}
	a.Close()
}

// TestBinSet checks rows, classes and marks of a tensor; the bins themselves are data/binning's tests.
func TestBinSet(t *testing.T) {
	dir := tree(t, map[string]string{
		"b_1": pcapText("0 >1, 5 <2, 100000 <3"), "a_1": pcapText("0 >1, 7 <5"), "a_2": pcapText("0 >1, 7 <5"), "a_3": pcapText("0 >9"), "c_1": pcapText("0 <0"), "zz": pcapText("0 <1"),
	})
	s, _, _, err := imported(t, filepath.Join(t.TempDir(), "ds"), ImportOptions{Clients: client10, Labels: labeler(t, `/(?P<song>[abc])_`)}, dir)
	if err != nil {
		t.Fatal(err)
	}
	c := binning.Default()
	c.Duration = 300 * time.Millisecond
	x, err := Bin(s, "song", nil, c)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(x.X, x.Y, x.Classes, x.CaptureID) != "[5 0 0 0 0 0 2 3 0] [0 0 1] [a b] [0 2 3]" || filepath.Base(x.Source[2]) != "b_1" {
		t.Errorf("%+v", x)
	}
	if x, err = Bin(s, "song", []string{"b"}, c); err != nil || x.N != 1 || fmt.Sprint(x.X) != "[2 3 0]" {
		t.Error(x, err)
	}
	if x, err = Order(s, "song", nil, c); err != nil || fmt.Sprint(x.X) != "[5 0 0 0 0 0 2 3 0]" {
		t.Error(x, err)
	}
	for _, bad := range []struct {
		label   string
		classes []string
	}{{"singer", nil}, {"song", []string{"x"}}, {"song", []string{"a", "a"}}} {
		_, err := Bin(s, bad.label, bad.classes, c)
		if _, ok := err.(Unknown); !ok {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if _, err := Scan(context.Background(), []string{dir}, ImportOptions{Format: "x"}, nil); err == nil {
		t.Error("format x is read")
	}
}
