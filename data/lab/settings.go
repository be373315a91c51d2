package lab

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// settings is the content of record.json: what a recording must have in common with the one that it goes on with. The number
// of captures and rigs may differ.
func (o *Options) settings() ([]byte, error) {
	names := func(works []Work) []string {
		list := []string{}
		for _, w := range works {
			list = append(list, w.Name)
		}
		return list
	}
	b, err := json.MarshalIndent(map[string]any{
		"scenario": o.Scenario, "works": names(o.Works), "ads": names(o.Ads), "seconds": o.Duration.Seconds(), "formats": o.Formats, "protocols": o.Protocols,
		"networks": o.Networks, "actions": o.Actions, "anywhere": o.Anywhere, "shaper": o.Shaper, "seed": o.Seed,
	}, "", "  ")
	return append(b, '\n'), err
}

// sameSettings names the settings that differ.
func sameSettings(have, want []byte) error {
	var a, b map[string]any
	if err := json.Unmarshal(have, &a); err != nil {
		return fmt.Errorf("%s: %w", settingsName, err)
	}
	if err := json.Unmarshal(want, &b); err != nil {
		return err
	}
	var differ []string
	for _, k := range slices.Sorted(maps.Keys(b)) {
		if !reflect.DeepEqual(a[k], b[k]) {
			differ = append(differ, k)
		}
	}
	if differ != nil {
		return fmt.Errorf("%s differ", strings.Join(differ, ", "))
	}
	return nil
}
