package lb

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestRampAdmitsExactlyItsPart(t *testing.T) {
	for percent, window := range map[int][2]int{ // calls in a row, and how many of them are admitted
		-1: {10, 0}, 0: {10, 0}, 1: {100, 1}, 10: {10, 1}, 25: {4, 1}, 33: {100, 33}, 50: {2, 1}, 75: {4, 3}, 99: {100, 99}, 100: {10, 10}, 200: {10, 10},
	} {
		var r Ramp
		admitted := make([]bool, 500)
		for i := range admitted {
			admitted[i] = r.Admit(percent)
		}
		if admitted[0] != (percent > 0) {
			t.Errorf("%d %%: the first call: %t", percent, admitted[0])
		}
		for at := 0; at+window[0] <= len(admitted); at++ {
			n := 0
			for _, yes := range admitted[at : at+window[0]] {
				if yes {
					n++
				}
			}
			if n != window[1] {
				t.Fatalf("%d %%: %d of calls %d to %d are admitted, want %d", percent, n, at, at+window[0]-1, window[1])
			}
		}
	}
}

func TestRampIsExactAcrossCallers(t *testing.T) {
	const callers, calls = 8, 1000
	var r Ramp
	var admitted atomic.Int64
	var done sync.WaitGroup
	for range callers {
		done.Go(func() {
			for range calls {
				if r.Admit(25) {
					admitted.Add(1)
				}
			}
		})
	}
	done.Wait()
	if got := admitted.Load(); got != callers*calls/4 {
		t.Errorf("%d of %d calls are admitted, want a quarter", got, callers*calls)
	}
}

func TestRampStepsUpToEverything(t *testing.T) {
	var r Ramp
	var got []int
	for _, percent := range []int{25, 50, 100} {
		n := 0
		for range 8 {
			if r.Admit(percent) {
				n++
			}
		}
		got = append(got, n)
	}
	if got[0] != 2 || got[1] != 4 || got[2] != 8 {
		t.Errorf("of 8 calls each %v are admitted, want 2, 4, 8", got)
	}
}
