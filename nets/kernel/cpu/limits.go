package cpu

// fmaRounds is how long one call of the measuring kernel runs: about 0.1 ms.
const fmaRounds = 1 << 14

// Exercise runs independent multiply-adds on registers, on every thread, and returns how many floating-point
// operations they were: timed by the caller, that is the processor's limit in this tier. The caller repeats it.
func (be *Backend) Exercise() (flops float64) {
	const calls = 8
	be.pool.Run(calls*be.pool.Threads(), func(_, _ int) { be.tier.conv.peak(fmaRounds) })
	const perRound = 24 * 2
	return float64(calls*be.pool.Threads()) * fmaRounds * perRound * float64(be.tier.conv.lanes)
}
