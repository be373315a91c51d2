// Package nets declares the networks.
package nets

import (
	"fmt"

	"earshot/nets/nn"
)

// All lists every network in every profile.
var All = []nn.Arch{}

// Lookup returns the network of that name in that profile.
func Lookup(name, profile string) (nn.Arch, error) {
	for _, a := range All {
		if a.Name == name && a.Profile == profile {
			return a, nil
		}
	}
	return nn.Arch{}, fmt.Errorf("nets: %s: no such network in profile %s", name, profile)
}
