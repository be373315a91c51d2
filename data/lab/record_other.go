//go:build !linux

package lab

import (
	"context"
	"errors"
)

// Record needs network namespaces, which only Linux has.
func Record(context.Context, Options) (Report, error) {
	return Report{}, errors.New("lab: recording needs network namespaces, which only Linux has; record on a Linux machine or in a virtual one, the data set works everywhere")
}
