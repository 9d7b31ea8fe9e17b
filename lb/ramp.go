package lb

import "sync/atomic"

// Ramp admits a part of the calls, spread evenly: it brings a member that has recovered back to its full share in steps,
// as nginx's and Envoy's slow start do. The zero value admits the first call. It takes no lock, and must not be copied.
type Ramp struct {
	// calls counts the calls of Admit that asked for a part.
	calls atomic.Uint64
}

// Admit reports whether this call is among that many of a hundred. It is exact: of any 100 calls in a row with the same
// percent it admits that many, of any 4 with 25 exactly one, whoever calls. At 0 and below it admits none, at 100 and
// above all.
func (r *Ramp) Admit(percent int) bool {
	if percent <= 0 || percent >= 100 {
		return percent > 0
	}
	place := (r.calls.Add(1) - 1) % 100
	return place*uint64(percent)%100 < uint64(percent)
}
