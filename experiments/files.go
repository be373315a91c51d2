package experiments

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// writeFile replaces path as a whole: temporary name, sync, rename, sync of the folder.
func writeFile(path string, b []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".part-*")
	if err != nil {
		return fmt.Errorf("experiments: %w", err)
	}
	defer os.Remove(f.Name()) // after the rename there is nothing to remove
	_, err = f.Write(b)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("experiments: %s: %w", path, err)
	}
	return nil
}

// writeInto writes a file of a folder that has not got its final name yet: what is half-written is lost with the folder.
func writeInto(dir, name string, b []byte) error {
	path := filepath.Join(dir, name)
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("experiments: %w", err)
	}
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("experiments: %s: %w", path, err)
	}
	return nil
}

// removeParts removes the temporary files that a killed run left beside its tables and figures; the caller holds the lock.
func removeParts(dir string) {
	for _, at := range []string{".", "tables", "figures"} {
		left, _ := filepath.Glob(filepath.Join(dir, at, ".part-*"))
		for _, path := range left {
			if st, err := os.Lstat(path); err == nil && st.Mode().IsRegular() {
				os.Remove(path)
			}
		}
	}
}

func writeJSON(path string, v any) error {
	b, err := marshal(v)
	if err != nil {
		return fmt.Errorf("experiments: %s: %w", path, err)
	}
	return writeFile(path, b)
}

func marshal(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return append(b, '\n'), err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
