package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"earshot/data/dataset/npz"
)

// in runs a command in this process and returns its exit status and output.
func in(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = status(run(context.Background(), args, strings.NewReader(""), &out, &errs), &errs)
	return code, out.String(), errs.String()
}

// good makes one file or folder of every kind that commands read, in the working folder.
func good(t *testing.T) {
	t.Helper()
	pcap := func(name, notation string) {
		b, err := pcapOf(notation)
		if err == nil {
			err = os.WriteFile(name, b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	must := func(args ...string) {
		if code, out, errs := in(args...); code != 0 {
			t.Fatalf("%v: %d\n%s%s", args, code, out, errs)
		}
	}
	if err := os.Mkdir("caps", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"a_1", "a_2", "b_1", "b_2"} {
		pcap("caps/"+n+".pcap", "0 >6"+n[2:]+", 300000 <1"+n[2:]+"00, 700000 <8"+map[string]string{"a": "1", "b": "9"}[n[:1]])
	}
	pcap("good.pcap", "0 >60, 300000 <1400, 700000 <80")
	must("data", "import", "caps", "--label", "(?P<song>[ab])_", "--clients", "10.0.0.2", "--out", "good.set")
	must("bin", "good.set", "--label", "song", "--step", "100ms", "--duration", "1s", "--out", "good.npz")
	must("features", "histogram", "good.set", "--out", "features.npz")
	must("train", "good.npz", "--net", "fcn", "--epochs", "1", "--out", "good.model")
	must("train", "good.set", "--label", "song", "--step", "100ms", "--duration", "1s", "--net", "fcn", "--epochs", "1", "--out", "set.model")
	must("net", "init", "--net", "fcn", "--steps", "10", "--classes", "2", "--out", "good.safetensors")
	for name, a := range map[string]npz.Array{"good.npy": npz.Float32(make([]float32, 40), 4, 1, 10), "y.npy": npz.Int64([]int64{0, 1, 0, 1}), "batches.npy": npz.Int64([]int64{0, 1, 2, 3}, 2, 2)} {
		if err := npz.WriteNPY(name, a); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"songs.csv": "song,uri\na,spotify:track:1\n",
		"good.csv":  "accuracy,n_train,n_test\n0.5,80,20\n0.7,80,20\n0.6,80,20\n", "labels.csv": "file,song\ngood.pcap,a\n", "net.txt": "10.0.0.0/8\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// bad makes the path that is wrong in one way, from a good one of its kind; empty when there is no such way.
func bad(t *testing.T, how, good string) string {
	t.Helper()
	name := how + filepath.Ext(good)
	os.RemoveAll(name)
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	st, err := os.Stat(good)
	folder := good == "good.run" || err == nil && st.IsDir()
	main := map[string]string{".set": "dataset.json", ".model": "model.json", ".run": "manifest.json"}[filepath.Ext(good)]
	write := func(b []byte) {
		if folder {
			must(os.Mkdir(name, 0o755))
			must(os.WriteFile(filepath.Join(name, main), b, 0o644))
			return
		}
		must(os.WriteFile(name, b, 0o644))
	}
	switch how {
	case "missing":
	case "under-a-file":
		return "good.csv/" + name
	case "folder":
		must(os.Mkdir(name, 0o755))
	case "unreadable": // for everybody, root too: reading its first byte fails
		if runtime.GOOS != "linux" {
			return ""
		}
		if folder {
			must(os.Mkdir(name, 0o755))
			must(os.Symlink("/proc/self/mem", filepath.Join(name, main)))
		} else {
			must(os.Symlink("/proc/self/mem", name))
		}
	case "empty":
		write(nil)
	case "cut":
		from := good
		if folder {
			from = filepath.Join(good, main)
		}
		b, err := os.ReadFile(from)
		if os.IsNotExist(err) {
			b, err = []byte(`{"format": 1, "set`), nil
		}
		must(err)
		if filepath.Ext(good) == ".pcap" {
			b = b[:30] // inside the first packet: nothing is readable
			b = b[:20]
		} else {
			b = b[:len(b)/2]
		}
		write(b)
	case "wrong":
		write([]byte("Dear diary,\nnothing \"happened today.\n"))
	}
	return name
}

// TestWrongPaths gives every command, for every file that it reads, one that is missing, a folder, unreadable, empty,
// cut or of another kind; and for every file that it writes a place where none can be. Each ends with status 1 and one
// line that names the path once, says what is wrong in words, and what to do.
func TestWrongPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	good(t)
	inputs := []struct {
		kind    string // a good one
		command string // @ is the path
		fine    string // ways that are no mistake here
	}{
		{"good.pcap", "data import @ --out new", ""},
		{"labels.csv", "data import good.pcap --out new --labels @ --key file", ""},
		{"net.txt", "data import good.pcap --out new --clients @@", "empty"},
		{"net.txt", "data import good.pcap --out new --servers @@", "empty"},
		{"good.pcap", "data info @", ""},
		{"good.set", "data info @", ""},
		{"good.pcap", "data packets @", ""},
		{"good.set", "data packets @", ""},
		{"good.pcap", "data suggest @ --clients 10.0.0.0/8", ""},
		{"net.txt", "data suggest good.pcap --servers @@", "empty"},
		{"good.set", "data merge good.set @ --out new", ""},
		{"good.set", "data export @ --to csv --out new.csv", ""},
		{"good.set", "bin @ --label song --step 100ms --duration 1s --out new.npz", ""},
		{"good.set", "features histogram @ --out new.csv", ""},
		{"features.npz", "classify --model tree --label song --train @ --test features.npz --out new.npz", ""},
		{"features.npz", "classify --model tree --label song --train features.npz --test @ --out new.npz", ""},
		{"good.npy", "net forward --net fcn --classes 2 --weights good.safetensors --input @ --out new.npy", ""},
		{"good.safetensors", "net forward --net fcn --classes 2 --weights @ --input good.npy --out new.npy", ""},
		{"y.npy", "net grad --net fcn --classes 2 --weights good.safetensors --input good.npy --target @ --out new.safetensors", ""},
		{"y.npy", "net fit-steps --net fcn --classes 2 --weights good.safetensors --input good.npy --target @ --batches batches.npy --out new.safetensors", ""},
		{"batches.npy", "net fit-steps --net fcn --classes 2 --weights good.safetensors --input good.npy --target y.npy --batches @ --out new.safetensors", ""},
		{"good.npz", "train @ --net fcn --epochs 1 --out new", ""},
		{"good.set", "train @ --label song --step 100ms --duration 1s --net fcn --epochs 1 --out new", ""},
		{"good.model", "predict good.npz --model @ --out new.csv", ""},
		{"good.npz", "predict @ --model good.model --out new.csv", ""},
		{"good.set", "plan @ --steps 100ms --duration 1s", ""},
		{"good.npz", "plan @", ""},
		{"good.set", "plot correlation @ --label song --out new.pdf", ""},
		{"good.npz", "plot series @ --out new.pdf", ""},
		{"good.run", "plot correlation @ --out new.pdf", ""},
		{"good.run", "report @", ""},
		{"good.run", "verify @", ""},
		{"good.set", "run songs --quick --label song --data @ --out new", ""},
		{"good.csv", "data record --songs @ --out new", ""},
		{"net.txt", "data capture --interface lo --authorized x --filter host=@@ --duration 1s --out new.pcapng", "empty"},
		{"good.csv", "data collect --interface lo --authorized x --songs @ --out new", ""},
		{"net.txt", "data collect --interface lo --authorized x --songs songs.csv --servers @@ --out new", "empty"},
		{"good.csv", "stats compare @ good.csv --test corrected", ""},
		{"good.csv", "stats compare good.csv @ --test corrected", ""},
	}
	for _, c := range inputs {
		for _, how := range []string{"missing", "under-a-file", "folder", "unreadable", "empty", "cut", "wrong"} {
			if strings.Contains(c.fine, how) {
				continue
			}
			path := bad(t, how, c.kind)
			if path == "" {
				continue
			}
			command := strings.ReplaceAll(c.command, "@@", "\x00") // an @ before the path
			checkWrongPath(t, path, strings.ReplaceAll(strings.ReplaceAll(command, "@", path), "\x00", "@"+path))
		}
	}
	for _, part := range []string{"captures-000000.parquet", "packets-000000.parquet"} {
		for _, how := range []string{"missing", "empty", "cut"} {
			set := "part-" + how + ".set"
			os.RemoveAll(set)
			if err := os.CopyFS(set, os.DirFS("good.set")); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(set, part)
			switch how {
			case "missing":
				os.Remove(path)
			case "empty":
				os.Truncate(path, 0)
			case "cut":
				os.Truncate(path, 100)
			}
			for _, command := range []string{
				"data export @ --to csv --out new.csv", "bin @ --label song --step 100ms --duration 1s --out new.npz", "features histogram @ --out new.csv",
				"data packets @ --capture 0", "predict @ --model set.model --out new.csv",
			} {
				checkWrongPath(t, set, strings.ReplaceAll(command, "@", set))
			}
		}
	}
	for _, command := range []string{
		"data import good.pcap --out @",
		"data merge good.set good.set --out @",
		"data export good.set --to csv --out @.csv",
		"data export good.set --to npz --out @.npz",
		"bin good.set --label song --step 100ms --duration 1s --out @.npz",
		"features histogram good.set --out @.csv",
		"features histogram good.set --out @.parquet",
		"features histogram good.set --out @.npz",
		"classify --model tree --label song --train features.npz --test features.npz --out @.npz",
		"classify --model tree --label song --train features.npz --test features.npz --out new.npz --save @ --force",
		"net init --net fcn --steps 10 --classes 2 --out @.safetensors",
		"net forward --net fcn --classes 2 --weights good.safetensors --input good.npy --out @.npy",
		"train good.npz --net fcn --epochs 1 --out @",
		"predict good.npz --model good.model --out @.csv",
		"data capture --interface lo --authorized x --duration 1s --out @.pcapng",
		"plot series good.npz --out @.pdf",
		"run songs --quick --out @",
	} {
		for _, path := range []string{"gone/new", "good.csv/new"} {
			if path == "gone/new" && makesFolders(command) {
				continue
			}
			checkWrongPath(t, path, strings.ReplaceAll(command, "@", path))
		}
	}
}

// makesFolders are the commands whose --out is a folder, made with those above it.
func makesFolders(command string) bool {
	for _, c := range []string{"data import", "train", "run", "classify --model tree --label song --train features.npz --test features.npz --out new.npz --save"} {
		if strings.HasPrefix(command, c) {
			return true
		}
	}
	return false
}

func checkWrongPath(t *testing.T, path, command string) {
	t.Helper()
	code, stdout, stderr := in(strings.Fields(command)...)
	line := strings.TrimSuffix(stderr, "\n")
	file := strings.TrimSuffix(path, filepath.Ext(path))
	switch {
	case code != exitFailed:
		t.Errorf("%s: status %d, want 1: %s", command, code, stderr)
	case stdout != "":
		t.Errorf("%s: on stdout: %s", command, stdout)
	case strings.Contains(line, "\n") || !strings.HasPrefix(line, "earshot: "):
		t.Errorf("%s: not one line: %s", command, stderr)
	case !strings.Contains(line, file) && !strings.Contains(line, filepath.Dir(path)+": "):
		t.Errorf("%s: the path is not named: %s", command, line)
	case !strings.Contains(line, "; "):
		t.Errorf("%s: no remedy: %s", command, line)
	case strings.Contains(line, path+": "+path) || strings.Count(line, path) > 1:
		t.Errorf("%s: the path stands twice: %s", command, line)
	default:
		for _, words := range []string{"no such file", "open ", "stat ", "read " + path, "is a directory", "not a directory", "EOF", "invalid character", "input/output error", "parse error"} {
			if strings.Contains(line, words) {
				t.Errorf("%s: Go's words: %s", command, line)
			}
		}
	}
	for _, left := range []string{"new", "new.csv", "new.npz", "new.npy", "new.pdf", "new.safetensors", "new.pcapng", "new.pcapng.partial"} {
		if _, err := os.Lstat(left); err == nil {
			if !strings.Contains(command, "--save") {
				t.Errorf("%s: left %s behind", command, left)
			}
			os.RemoveAll(left)
		}
	}
}
