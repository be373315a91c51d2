package train

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"earshot/nets/kernel/cpu"
	"earshot/nets/nn"
)

// killEnv makes the test binary train in the folder that it names, and nothing else.
const killEnv = "EARSHOT_TRAIN_KILL_DIR"

func killConfig() (Data, Config) {
	cfg := toyConfig(ProfilePaper)
	cfg.Epochs = 60
	return toyData(22), cfg
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(killEnv); dir != "" {
		if err := trainToBeKilled(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// trainToBeKilled writes a checkpoint after every step and, at the end, every bit of the state.
func trainToBeKilled(dir string) error {
	d, cfg := killConfig()
	cfg.Dir, cfg.CheckpointEvery = dir, time.Nanosecond
	be, err := cpu.FromEnv(1)
	if err != nil {
		return err
	}
	m, err := nn.NewModel(be, toy(cfg.Profile), d.C, d.T, len(d.Classes), 1)
	if err != nil {
		return err
	}
	h, err := Fit(context.Background(), m, d, cfg, nil)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "state"), []byte(fmt.Sprint(state(m), len(h))), 0o644)
}

// TestKillAtAnyMoment kills a training process again and again; every start goes on from a valid checkpoint, and in the
// end the bits are those of an undisturbed training.
func TestKillAtAnyMoment(t *testing.T) {
	dir := t.TempDir()
	kills, resumed := 0, 0
	for try := 0; ; try++ {
		if try > 200 {
			t.Fatal("the training does not come to an end")
		}
		if HasCheckpoint(dir) {
			resumed++
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killEnv+"="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Moments spread over writing and computing; later tries live longer, so that a slow machine ends too.
		timer := time.AfterFunc(time.Duration(40+17*(try%7)+8*try)*time.Millisecond, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		if err == nil {
			break
		}
		if cmd.ProcessState.ExitCode() != -1 { // not by the signal
			t.Fatalf("after %d kills the training fails: %v", kills, err)
		}
		kills++
	}
	if kills == 0 || resumed == 0 {
		t.Skipf("%d kills, %d resumes: the machine is too fast for this test", kills, resumed)
	}
	got, err := os.ReadFile(filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	d, cfg := killConfig()
	want, h := fit(t, 2, d, cfg)
	if string(got) != fmt.Sprint(want, len(h)) {
		t.Errorf("other bits after %d kills and %d resumes", kills, resumed)
	}
	if err := RemoveCheckpoint(dir); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("files stay: %v", left)
	}
	t.Logf("%d kills, %d resumes", kills, resumed)
}
