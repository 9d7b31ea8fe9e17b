//go:build !race

package stats

import "testing"

func TestCountingAllocatesNothing(t *testing.T) {
	table, s := newTable(t)
	d, o := table.NewDelta(), rescued()
	d.Add(o, noon)
	if n := testing.AllocsPerRun(1000, func() { d.Add(o, noon) }); n != 0 {
		t.Errorf("%v allocations per outcome", n)
	}
	take(t, table, s, d)
	d.Add(o, noon)
	if n := testing.AllocsPerRun(1000, func() { d.Add(o, noon) }); n != 0 {
		t.Errorf("%v allocations per outcome after a reset", n)
	}
}
