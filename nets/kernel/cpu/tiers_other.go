//go:build !amd64

package cpu

// tiers is empty: kernel/ref serves every operator on this architecture.
var tiers []tier
