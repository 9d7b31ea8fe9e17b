package lb

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// everyDraw returns an intN that goes through all ordered pairs of n members, which are n*(n-1) picks.
func everyDraw(n int) func(int) int {
	draw := 0
	return func(of int) int {
		draw++
		pair := (draw - 1) / 2 % (n * (n - 1))
		if of == n {
			return pair / (n - 1)
		}
		return pair % (n - 1)
	}
}

// busy returns loads with these averages, observed at time 0, and requests in flight.
func busy(latencies []time.Duration, inFlight []int) []*Load {
	loads := newLoads(len(latencies))
	for i, l := range loads {
		if latencies[i] > 0 {
			l.Observe(latencies[i], 0)
		}
		for range inFlight[i] {
			l.Begin()
		}
	}
	return loads
}

func TestLeastLatencyOverEveryDraw(t *testing.T) {
	const s, m = time.Second, time.Minute
	for _, test := range []struct {
		name      string
		in        []Member
		down      []int
		latencies []time.Duration
		inFlight  []int
		at        time.Duration
		want      []int // picks of all ordered pairs of usable members of the first tier
	}{
		{"nothing known: all alike", equal(3), nil, []time.Duration{0, 0, 0}, []int{0, 0, 0}, 0, []int{2, 2, 2}},
		{"all alike when equally fast and busy", equal(3), nil, []time.Duration{s, s, s}, []int{2, 2, 2}, 0, []int{2, 2, 2}},
		{"the faster of each pair", equal(3), nil, []time.Duration{s, 2 * s, 3 * s}, []int{1, 1, 1}, 0, []int{4, 2, 0}},
		{"one member down", equal(3), []int{0}, []time.Duration{s, 2 * s, 3 * s}, []int{1, 1, 1}, 0, []int{0, 2, 0}},
		{"weights above 0 make no difference", weights(1, 100, 1000), nil, []time.Duration{s, 2 * s, 3 * s}, []int{1, 1, 1}, 0, []int{4, 2, 0}},
		{"the less busy of equally fast ones", equal(3), nil, []time.Duration{s, s, s}, []int{5, 3, 4}, 0, []int{0, 4, 2}},
		{"fast and busy is as good as slow and idle", equal(2), nil, []time.Duration{s, 3 * s}, []int{2, 0}, 0, []int{1, 1}},
		{"faster by more than it is busier", equal(2), nil, []time.Duration{s, 3 * s}, []int{1, 0}, 0, []int{2, 0}},
		{"a standby takes no part, fast as it is", weights(1, 0, 1), nil, []time.Duration{2 * s, s, 3 * s}, []int{9, 0, 9}, 0, []int{2, 0, 0}},
		{"standbys alone", weights(1, 0, 0), []int{0}, []time.Duration{s, 3 * s, 2 * s}, []int{0, 0, 0}, 0, []int{0, 0, 2}},
		{"an unknown one is tried at once", equal(3), nil, []time.Duration{s, 0, s}, []int{0, 0, 0}, 0, []int{1, 4, 1}},
		{"but gets no second request before its first token", equal(3), nil, []time.Duration{m, 0, m}, []int{50, 1, 50}, 0, []int{3, 0, 3}},
		{"unknown ones by what they have in flight", equal(3), nil, []time.Duration{0, 0, 0}, []int{2, 1, 3}, 0, []int{2, 4, 0}},
		// 1 s against 3 s at time 0; at 40 s they have decayed alike.
		{"decay alone changes no order", equal(2), nil, []time.Duration{s, 3 * s}, []int{0, 0}, 40 * s, []int{2, 0}},
		// In flight, the reading of the first counts in full; that of the second has come down to a fifth.
		{"an old reading is doubted", equal(2), nil, []time.Duration{s, 9 * s}, []int{1, 0}, 40 * s, []int{0, 2}},
		{"by one request only", equal(2), nil, []time.Duration{s, 9 * s}, []int{1, 1}, 40 * s, []int{2, 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			usable := allOf(len(test.in))
			for _, i := range test.down {
				usable.Remove(i)
			}
			draws := 0
			for _, w := range test.want {
				draws += w
			}
			n := 2 // draws are n*(n-1)
			for n*(n-1) < draws {
				n++
			}
			policy := NewLeastLatency(test.in, busy(test.latencies, test.inFlight), func() time.Duration { return test.at }, everyDraw(n))
			if got := counts(len(test.in), picks(policy, usable, draws)); !slices.Equal(got, test.want) {
				t.Errorf("picked %v, want %v", got, test.want)
			}
		})
	}
}

func TestLeastLatencyOfManyMembersComparesOneOfEachPair(t *testing.T) {
	const n = 130
	latencies := make([]time.Duration, n)
	for i := range latencies {
		latencies[i] = time.Duration(n-i) * time.Second
	}
	usable := allOf(n)
	usable.Remove(64)
	usable.Remove(129)
	const left = n - 2
	policy := NewLeastLatency(equal(n), busy(latencies, make([]int, n)), func() time.Duration { return 0 }, everyDraw(left))
	got := counts(n, picks(policy, usable, left*(left-1)))
	slower := 0 // usable members that are slower than i
	for i, c := range got {
		if !usable.Has(i) {
			if c != 0 {
				t.Errorf("member %d is down and was picked %d times", i, c)
			}
			continue
		}
		// Each pair is drawn in both orders, and the faster of it picked.
		if c != 2*slower {
			t.Errorf("member %d was picked %d times, want %d", i, c, 2*slower)
		}
		slower++
	}
}

// A slow member is tried again after (k-1)*10 s when it is k times as slow, as long as the others are busy.
func TestLeastLatencyTriesASlowMemberAgain(t *testing.T) {
	for _, k := range []int{2, 3, 10} {
		loads := busy([]time.Duration{time.Second, time.Duration(k) * time.Second}, []int{0, 0})
		now := time.Duration(0)
		policy := NewLeastLatency(equal(2), loads, func() time.Duration { return now }, everyDraw(2))
		for policy.Pick(allOf(2)) == 0 {
			now += 20 * time.Millisecond
			loads[0].Observe(time.Second, now)
		}
		if want := time.Duration(k-1) * 10 * time.Second; now < want || now > want+50*time.Millisecond {
			t.Errorf("%d times as slow: tried again after %v, want %v", k, now, want)
		}
	}
}

// Where one request a minute comes, the faster member must still have most of them.
func TestLeastLatencyKnowsTheFasterMemberAlsoWhenRequestsAreRare(t *testing.T) {
	latencies := []time.Duration{time.Second, 3 * time.Second}
	loads := busy(latencies, []int{0, 0})
	now := time.Duration(0)
	policy := NewLeastLatency(equal(2), loads, func() time.Duration { return now }, everyDraw(2))
	got := make([]int, 2)
	for range 400 {
		now += time.Minute
		i := policy.Pick(allOf(2))
		loads[i].Observe(latencies[i], now)
		got[i]++
	}
	if got[1] < 80 || got[1] > 120 {
		t.Errorf("picked %v, want about a quarter for the slower one", got)
	}
}

// A member comes new to a group under load, with a first token that takes a while. It must be tried at once, and must not be
// what all callers wait for.
func TestANewcomerIsTriedWithOneRequestAtATime(t *testing.T) {
	loads := busy([]time.Duration{time.Second, time.Second, 0}, []int{20, 20, 0})
	now := time.Duration(0)
	policy := NewLeastLatency(equal(3), loads, func() time.Duration { return now }, everyDraw(3))
	send := func(requests int) []int {
		got := picks(policy, allOf(3), 0)
		for range requests {
			i := policy.Pick(allOf(3))
			loads[i].Begin()
			got = append(got, i)
		}
		return counts(3, got)
	}
	if got := send(60); got[2] != 1 {
		t.Errorf("before its first token: picked %v, want the newcomer once", got)
	}
	loads[2].End() // it failed, and is as unknown as before
	if got := send(60); got[2] != 1 {
		t.Errorf("after a failure: picked %v, want the newcomer once more", got)
	}
	loads[2].Observe(time.Second, now)
	if got := send(60); got[2] < 30 {
		t.Errorf("after its first token: picked %v, want the newcomer as long as it is less busy", got)
	}
}

// Configurations are swapped while requests run: loads stay, members go and come, and nothing is counted twice or lost.
func TestLoadsSurviveSwapsUnderLoad(t *testing.T) {
	const callers, requests, n = 8, 4000, 4
	loads := newLoads(n)
	var clock atomic.Int64
	now := func() time.Duration { return time.Duration(clock.Load()) }
	type snapshot struct {
		policy Policy
		loads  []*Load
	}
	of := func(loads ...*Load) *snapshot {
		return &snapshot{NewLeastLatency(equal(len(loads)), loads, now, rand.IntN), loads}
	}
	snapshots := []*snapshot{of(loads...), of(loads[3], loads[1]), of(loads[2], loads[0], loads[3])}
	var current atomic.Pointer[snapshot]
	current.Store(snapshots[0])
	stop := make(chan struct{})
	var swapper, load sync.WaitGroup
	swapper.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			default:
				current.Store(snapshots[i%len(snapshots)])
			}
		}
	})
	var sent [n]atomic.Int64
	for range callers {
		load.Go(func() {
			for range requests {
				s := current.Load()
				i := s.policy.Pick(allOf(len(s.loads)))
				l := s.loads[i]
				l.Begin()
				at := clock.Add(int64(time.Millisecond))
				which := slices.Index(loads, l)
				l.Observe(time.Duration(1+100*which)*time.Millisecond, time.Duration(at))
				sent[which].Add(1)
				l.End()
			}
		})
	}
	load.Wait()
	close(stop)
	swapper.Wait()
	total := int64(0)
	for i, l := range loads {
		if l.InFlight() != 0 {
			t.Errorf("member %d has %d in flight", i, l.InFlight())
		}
		if got := l.Latency(now()); got > time.Duration(1+100*i)*time.Millisecond {
			t.Errorf("member %d: latency %v of samples of %d ms", i, got, 1+100*i)
		}
		total += sent[i].Load()
	}
	if total != callers*requests {
		t.Errorf("%d requests were sent, want %d", total, callers*requests)
	}
	if fast, slow := sent[0].Load(), sent[3].Load(); fast < slow {
		t.Errorf("the fastest had %d, the slowest %d", fast, slow)
	}
}
