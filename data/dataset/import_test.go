package dataset

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"earshot/data/trace"
)

// pcapOf writes a microsecond pcap of raw IPv4 UDP packets between the client 10.0.0.2 and the server 192.0.2.1:443.
func pcapOf(t *trace.Trace) []byte {
	le, be := binary.LittleEndian, binary.BigEndian
	var b []byte
	for _, v := range []uint32{0xa1b2c3d4, 4<<16 | 2, 0, 0, 1 << 18, 101} {
		b = le.AppendUint32(b, v)
	}
	for _, p := range t.Packets {
		at, n := t.Start+p.Time, uint32(28+p.PayloadBytes)
		for _, v := range []uint32{uint32(at / 1e6), uint32(at % 1e6), 28, n} { // cut behind the headers, as snaplen 28 does
			b = le.AppendUint32(b, v)
		}
		src, dst, sport, dport := []byte{10, 0, 0, 2}, []byte{192, 0, 2, 1}, uint16(40000), uint16(443)
		if p.Direction == trace.Down {
			src, dst, sport, dport = dst, src, dport, sport
		}
		b = be.AppendUint16(append(b, 0x45, 0), uint16(n))
		b = append(b, 0, 0, 0, 0, 64, 17, 0, 0)
		b = append(append(b, src...), dst...)
		b = be.AppendUint16(be.AppendUint16(b, sport), dport)
		b = append(be.AppendUint16(b, uint16(n-20)), 0, 0)
	}
	return b
}

// tree writes files below a new folder and returns it.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func pcapText(notation string) string {
	tr := trace.MustParse(notation)
	tr.Start += 1_600_000_000_000_000
	return string(pcapOf(tr))
}

func labeler(t *testing.T, expr string) *Labeler {
	t.Helper()
	l, err := NewLabeler(expr, "", "")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// imported runs Import and opens the result; the log comes back.
func imported(t *testing.T, dst string, opt ImportOptions, srcs ...string) (*Set, ImportReport, []string, error) {
	t.Helper()
	var log []string
	r, err := Import(context.Background(), srcs, opt, dst, func(s string) { log = append(log, s) })
	if !IsSet(dst) {
		return nil, r, log, err
	}
	s, e := Open(dst)
	if e != nil {
		t.Fatal(e)
	}
	return s, r, log, err
}

var client10 = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}

func TestImportCaptures(t *testing.T) {
	whole := pcapText("0 >100, 10 <1000, 25 <2000")
	dir := tree(t, map[string]string{
		"b/two.pcap":         pcapText("0 >50, 10 <500"),
		"a/one.anything":     whole, // told by content
		"a/copy.pcap":        whole,
		"a/near.pcap":        pcapText("0 >100, 11 <1000, 25 <2000"),
		"c/cut.pcap":         whole[:len(whole)-7],
		"c/no packet.pcap":   pcapText(""),
		"c/no payload.pcap":  pcapText("0 >0, 5 <0"),
		"c/not a capture":    "hello",
		"c/lost/empty file":  "",
		"c/strange name.txt": "0 1 2",
	})
	dst := filepath.Join(t.TempDir(), "ds")
	opt := ImportOptions{Clients: client10, Labels: labeler(t, `/(?P<folder>[abc])/`), Created: "2026-01-02T03:04:05Z"}
	s, r, log, err := imported(t, dst, opt, dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range s.Captures {
		got = append(got, fmt.Sprintf("%d %s %s %s up=%d down=%d n=%d/%d %s", c.ID, strings.TrimPrefix(c.Source, dir+"/"), c.Labels["folder"], c.Excluded, c.BytesUp, c.BytesDown, c.Packets, c.Records, c.Link))
	}
	want := []string{
		"0 a/copy.pcap a  up=100 down=3000 n=3/3 raw",
		"1 a/near.pcap a  up=100 down=3000 n=3/3 raw",
		"2 a/one.anything a duplicate up=100 down=3000 n=3/3 raw",
		"3 b/two.pcap b  up=50 down=500 n=2/2 raw",
		"4 c/cut.pcap c  up=100 down=1000 n=2/2 raw",
		"5 c/no packet.pcap c empty up=0 down=0 n=0/0 raw",
		"6 c/no payload.pcap c empty up=0 down=0 n=2/2 raw",
	}
	for i := range got {
		got[i] = strings.Replace(got[i], s.Captures[i].Link, "raw", 1)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(log) != 1 || !strings.Contains(log[0], "cut.pcap: packet 3: ") {
		t.Errorf("%q", log)
	}
	if r.Captures != 7 || r.Duplicates != 1 || r.Empties != 2 || r.Problems != 1 || r.Guessed != 0 {
		t.Errorf("%+v", r)
	}
	b, err := os.ReadFile(filepath.Join(dst, problemsName))
	if err != nil || !strings.HasPrefix(string(b), "source,packet,error\n"+dir+"/c/cut.pcap,3,") {
		t.Errorf("%s %v", b, err)
	}
	tr, err := s.Trace(3)
	if err != nil || tr.Start != 1_600_000_000_000_000 || len(tr.Flows) != 1 || tr.Flows[0].Client != netip.MustParseAddrPort("10.0.0.2:40000") {
		t.Errorf("%+v %v", tr, err)
	}
	i, err := s.Info()
	if err != nil || i.Captures != 7 || i.Included != 4 || i.Near != 1 || i.Axes["folder"]["c"] != 3 || len(i.Sources) != 7 || i.Unknown != 0 {
		t.Errorf("%+v %v", i, err)
	}
	scan, err := Scan(context.Background(), []string{dir}, opt, nil)
	i.Name, i.Sources[4].Error, scan.Sources[4].Error = "", "", ""
	if err != nil || fmt.Sprint(scan) != fmt.Sprint(i) {
		t.Errorf("Scan differs:\n%+v\n%+v\n%v", scan, i, err)
	}

	// The same again: nothing new. Then a source more, and one whose content changed.
	before := s.Digest()
	s, r, _, err = imported(t, dst, opt, dir)
	if err != nil || r.Captures != 0 || r.Skipped != 7 || s.Digest() != before {
		t.Errorf("%+v %v", r, err)
	}
	os.WriteFile(filepath.Join(dir, "a/zero.pcap"), []byte(pcapText("0 >9")), 0o644)
	os.WriteFile(filepath.Join(dir, "b/two.pcap"), []byte(pcapText("0 >51")), 0o644)
	s, r, _, err = imported(t, dst, opt, dir)
	if err != nil || r.Captures != 2 || r.Skipped != 6 || s.Captures[7].Source != dir+"/a/zero.pcap" || s.Captures[8].BytesUp != 51 {
		t.Errorf("%+v %v", r, err)
	}

	// Other rules than the set's are refused.
	other := opt
	other.Clients = nil
	if _, _, _, err := imported(t, dst, other, dir); err == nil || !strings.Contains(err.Error(), "was imported with clients 10.0.0.0/8, this import has none") {
		t.Error(err)
	}
	other = opt
	other.Labels = nil
	if _, _, _, err := imported(t, dst, other, dir); err == nil || !strings.Contains(err.Error(), "label axes folder") {
		t.Error(err)
	}
	opt.Strict = true
	if _, _, _, err := imported(t, filepath.Join(t.TempDir(), "strict"), opt, dir); err == nil || !strings.Contains(err.Error(), "1 problems, see problems.csv") {
		t.Error(err)
	}
}

func TestNothingReadable(t *testing.T) {
	dir := tree(t, map[string]string{"note.txt": "hello"})
	dst := filepath.Join(t.TempDir(), "ds")
	for _, src := range []string{dir, dir + "/note.txt", dir + "/missing"} {
		if _, _, _, err := imported(t, dst, ImportOptions{}, src); err == nil {
			t.Errorf("%s: no error", src)
		}
		if _, err := os.Stat(dst); !os.IsNotExist(err) {
			t.Errorf("%s: a folder was left", src)
		}
	}
	_, r, log, err := imported(t, dst, ImportOptions{}, dir+"/note.txt")
	if r.Problems != 1 || len(log) != 0 || !strings.Contains(err.Error(), "note.txt: not a capture") {
		t.Error(r, log, err)
	}
}

// TestLabelConflict: the same packets under two labels are stored, and an error that names both files.
func TestLabelConflict(t *testing.T) {
	same := pcapText("0 >100, 10 <1000")
	dir := tree(t, map[string]string{"a_1.pcap": same, "b_2.pcap": same, "b_3.pcap": pcapText("0 >7")})
	dst := filepath.Join(t.TempDir(), "ds")
	opt := ImportOptions{Labels: labeler(t, `(?P<song>[ab])_`)}
	for range 2 { // the second run says so, too
		s, _, _, err := imported(t, dst, opt, dir)
		if err == nil || !strings.Contains(err.Error(), "a_1.pcap and "+dir+`/b_2.pcap: the same packets under two labels (song "a" and "b")`) {
			t.Fatal(err)
		}
		if len(s.Captures) != 3 {
			t.Error("the captures are not stored")
		}
		if _, _, err := s.Labelled("song", nil); err == nil || !strings.Contains(err.Error(), "two labels") {
			t.Error(err)
		}
	}
	// Where an axis agrees, the import only says so; the axis in question is refused.
	dir = tree(t, map[string]string{"a_1.pcap": same, "a_2.pcap": same})
	s, _, log, err := imported(t, filepath.Join(t.TempDir(), "ds"), ImportOptions{Labels: labeler(t, `(?P<song>[ab])_(?P<take>\d)`)}, dir)
	if err != nil || len(log) != 1 || !strings.Contains(log[0], `(take "1" and "2")`) {
		t.Fatal(log, err)
	}
	if caps, _, err := s.Labelled("song", nil); err != nil || len(caps) != 1 {
		t.Error(caps, err)
	}
	if _, _, err := s.Labelled("take", nil); err == nil {
		t.Error("the axis take is not refused")
	}
}

func TestUnlabeled(t *testing.T) {
	dir := tree(t, map[string]string{"a_1.pcap": pcapText("0 >1"), "x1": pcapText("0 >2"), "x2": pcapText("0 >3"), "x3": pcapText("0 >4"), "x4": pcapText("0 >5"), "x5": pcapText("0 >6")})
	s, r, log, err := imported(t, filepath.Join(t.TempDir(), "ds"), ImportOptions{Labels: labeler(t, `(?P<song>[ab])_`)}, dir)
	if err != nil || r.Unlabeled != 5 || len(log) != 4 || log[3] != "more sources without a label are in problems.csv" {
		t.Errorf("%+v %q %v", r, log, err)
	}
	if caps, classes, err := s.Labelled("song", nil); len(caps) != 1 || !slices.Equal(classes, []string{"a"}) || err != nil {
		t.Error(caps, classes, err)
	}
}

func TestLabelTable(t *testing.T) {
	dir := tree(t, map[string]string{
		"labels.csv": "\ufefffile,type 6,query\nsub/one.pcap,fact,\"How, far?\"\ntwo.pcap,chat,Hello\n",
		"x/one.pcap": pcapText("0 >1"), "x/two.pcap": pcapText("0 >2"), "x/three.pcap": pcapText("0 >3"),
	})
	l, err := NewLabeler("", dir+"/labels.csv", "file")
	if err != nil {
		t.Fatal(err)
	}
	s, r, _, err := imported(t, filepath.Join(t.TempDir(), "ds"), ImportOptions{Labels: l}, dir+"/x")
	if err != nil || r.Unlabeled != 1 || s.Captures[0].Labels["type_6"] != "fact" || s.Captures[0].Labels["query"] != "How, far?" || s.Captures[2].Labels["query"] != "Hello" {
		t.Errorf("%+v %v %v", r, s.Captures, err)
	}
	for _, bad := range [][3]string{
		{"", dir + "/labels.csv", "name"}, {"", dir + "/none.csv", "file"}, {"(", "", ""}, {"[ab]", "", ""}, {"(?P<query>x)", dir + "/labels.csv", "file"},
	} {
		if _, err := NewLabeler(bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// TestWorkers: the number of workers changes nothing.
func TestWorkers(t *testing.T) {
	small(t, 400)
	dir := many(t, 60)
	var digests []string
	for _, n := range []int{1, 2, 7} {
		dst := filepath.Join(t.TempDir(), "ds")
		if _, _, _, err := imported(t, dst, ImportOptions{Workers: n}, dir); err != nil {
			t.Fatal(err)
		}
		digests = append(digests, folderDigest(t, dst))
	}
	if digests[0] != digests[1] || digests[0] != digests[2] {
		t.Error("1, 2 and 7 workers wrote different files")
	}
}

func TestInterrupt(t *testing.T) {
	small(t, 400)
	dir := many(t, 60)
	dst := filepath.Join(t.TempDir(), "ds")
	ctx, stop := context.WithCancel(context.Background())
	_, err := Import(ctx, []string{dir}, ImportOptions{Progress: func(done, total int) {
		if done == 30 {
			stop()
		}
	}}, dst, nil)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if s, err := Open(dst); err != nil || len(s.Captures) == 0 || len(s.Captures) > 31 {
		t.Fatal(err)
	}
	if _, _, _, err := imported(t, dst, ImportOptions{}, dir); err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(t.TempDir(), "ds")
	if _, _, _, err := imported(t, whole, ImportOptions{}, dir); err != nil {
		t.Fatal(err)
	}
	if folderDigest(t, dst) != folderDigest(t, whole) {
		t.Error("a stopped and completed import differs from an undisturbed one")
	}
}

// small makes runs of n packets for one test.
func small(t *testing.T, n int64) {
	old := runPackets
	runPackets = n
	t.Cleanup(func() { runPackets = old })
}

// many writes n captures of some 50 packets.
func many(t *testing.T, n int) string {
	r := rand.New(rand.NewPCG(3, 4))
	files := map[string]string{}
	for i := range n {
		tr := &trace.Trace{Start: 1_600_000_000_000_000 + int64(i)*1e6}
		for k := range 40 + r.IntN(20) {
			tr.Packets = append(tr.Packets, trace.Packet{Time: int64(k) * 1000, Direction: trace.Direction(1 + r.IntN(2)), PayloadBytes: r.Int32N(1400)})
		}
		files[fmt.Sprintf("%03d.pcap", i)] = string(pcapOf(tr))
	}
	return tree(t, files)
}

// folderDigest is over names and bytes of all files.
func folderDigest(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		d, err := fileDigest(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Name()+" "+d)
	}
	return strings.Join(all, "\n")
}

// TestKill kills a real importing process at moments of all kinds, again and again, and lets it complete. What was
// acknowledged is never lost, and the result equals an undisturbed import bit by bit.
func TestKill(t *testing.T) {
	if os.Getenv("EARSHOT_TEST_IMPORT") != "" {
		importChild()
	}
	small(t, 400)
	dir := many(t, 150)
	whole := filepath.Join(t.TempDir(), "ds")
	if _, _, _, err := imported(t, whole, ImportOptions{}, dir); err != nil {
		t.Fatal(err)
	}
	dst := filepath.Join(t.TempDir(), "ds")
	r := rand.New(rand.NewPCG(5, 6))
	kills, have := 0, 0
	for {
		child := exec.Command(os.Args[0], "-test.run=^TestKill$")
		child.Env = append(os.Environ(), "EARSHOT_TEST_IMPORT="+dir, "EARSHOT_TEST_DST="+dst)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		wait := 8 * math.Pow(1.3, float64(kills)) * (0.5 + r.Float64()) // longer each time, so that the import gets on
		timer := time.AfterFunc(time.Duration(wait*1e6), func() { child.Process.Kill() })
		err := child.Wait()
		timer.Stop()
		if IsSet(dst) {
			s, err := Open(dst)
			if err != nil {
				t.Fatalf("after %d kills: %v", kills, err)
			}
			if len(s.Captures) < have {
				t.Fatalf("%d captures, %d were acknowledged", len(s.Captures), have)
			}
			have = len(s.Captures)
			if err := s.Each(ids(s), func(*Capture, *trace.Trace) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if err == nil {
			break
		}
		if kills++; kills > 60 {
			t.Fatal("the import does not get on")
		}
	}
	t.Logf("%d kills", kills)
	if folderDigest(t, dst) != folderDigest(t, whole) {
		t.Error("the completed import differs from an undisturbed one")
	}
}

func ids(s *Set) (all []int64) {
	for _, c := range s.Captures {
		all = append(all, c.ID)
	}
	return all
}

// importChild is the process that is killed. It sleeps a little for each file, so that kills come at all stages.
func importChild() {
	runPackets = 400
	_, err := Import(context.Background(), []string{os.Getenv("EARSHOT_TEST_IMPORT")}, ImportOptions{
		Progress: func(int, int) { time.Sleep(time.Millisecond / 2) },
	}, os.Getenv("EARSHOT_TEST_DST"), nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// TestDamagedClaims: a record that claims 4 GB counts as a record, gives a row of problems, and its claim no bytes.
func TestDamagedClaims(t *testing.T) {
	file := []byte(pcapText("0 >100, 10 <1000, 25 <2000"))
	for _, packet := range []int{0, 2} { // each of 16 + 28 bytes
		binary.LittleEndian.PutUint32(file[24+packet*44+12:], 1<<32-1)
	}
	dir := tree(t, map[string]string{"x.pcap": string(file)})
	dst := filepath.Join(t.TempDir(), "ds")
	s, r, log, err := imported(t, dst, ImportOptions{Clients: client10}, dir)
	if err != nil || r.Problems != 2 || len(log) != 2 {
		t.Fatal(r, log, err)
	}
	if c := s.Captures[0]; c.Records != 3 || c.BytesFrame != 28+1028+28 || c.BytesIP != 28+1028+28 || c.Bytes() != 1000 || c.ProblemAt != 1 {
		t.Errorf("%+v", c)
	}
	problems, err := s.problems()
	if err != nil || len(problems) != 2 || problems[0][1] != "1" || problems[1][1] != "3" || !strings.HasPrefix(problems[1][2], "the record claims 4294967295 bytes") {
		t.Error(problems, err)
	}
}
