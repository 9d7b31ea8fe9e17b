package gateway

import (
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"octopus/gateway/config"
)

// opened returns accounts of keys, with what they have spent before.
func opened(t *testing.T, spent map[string]int64, keys ...config.APIKey) *accounts {
	t.Helper()
	s := new(accounts)
	if err := s.open(keys, func(time.Time) (map[string]int64, error) { return spent, nil }); err != nil {
		t.Fatal(err)
	}
	return s
}

func keyWith(change func(*config.APIKey)) *config.APIKey {
	k := &config.APIKey{Object: config.Object{ID: "k"}, BudgetPeriod: config.BudgetTotal}
	change(k)
	return k
}

func TestParallelRequestsNeverOversellABudget(t *testing.T) {
	const budget, most = 1_000_000, 10_000
	k := keyWith(func(k *config.APIKey) { k.BudgetNanoUSD = budget })
	s := opened(t, nil, *k)
	a := s.of("k")
	var spent atomic.Int64
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			for range 400 {
				taken, standing := s.Take(k, Claim{NanoUSD: most, Spends: true})
				if standing.Refused != NoLimit {
					continue
				}
				used := Claim{NanoUSD: rand.Int64N(most + 1)}
				if rand.IntN(4) == 0 {
					used = Claim{} // it failed, or its client left
				}
				spent.Add(used.NanoUSD)
				s.Settle(k, taken, used)
			}
		})
	}
	group.Wait()
	if a.spent != spent.Load() || a.reserved != 0 || a.running != 0 {
		t.Errorf("%d spent, %d reserved, %d running; want %d, 0, 0", a.spent, a.reserved, a.running, spent.Load())
	}
	if a.spent < budget || a.spent >= budget+most {
		t.Errorf("%d spent of %d", a.spent, budget)
	}
	if _, standing := s.Take(k, Claim{NanoUSD: 1, Spends: true}); standing.Refused != LimitBudget || standing.Wait != 0 {
		t.Errorf("afterwards: %+v", standing)
	}
}

func TestReservationsHoldTheBudget(t *testing.T) {
	k := keyWith(func(k *config.APIKey) { k.BudgetNanoUSD = 1000 })
	s := opened(t, map[string]int64{"k": 100, "other": 5000}, *k)
	take := func(nanoUSD int64, want Limit, reserved int64) Claim {
		t.Helper()
		taken, standing := s.Take(k, Claim{NanoUSD: nanoUSD, Spends: true})
		if standing.Refused != want || want == NoLimit && taken.NanoUSD != reserved {
			t.Errorf("%d: refused by %d with %d reserved, want %d, %d", nanoUSD, standing.Refused, taken.NanoUSD, want, reserved)
		}
		return taken
	}
	first := take(600, NoLimit, 600)
	second := take(600, NoLimit, 300) // what is left
	take(1, LimitReserved, 0)
	take(0, LimitReserved, 0) // for nothing: the budget decides for all
	if taken, standing := s.Take(k, Claim{}); standing.Refused != NoLimit {
		t.Errorf("what does not spend is refused: %+v", standing)
	} else {
		s.Settle(k, taken, Claim{})
	}
	s.Settle(k, first, Claim{}) // failed
	third := take(500, NoLimit, 500)
	s.Settle(k, second, Claim{NanoUSD: 800}) // more than was expected
	take(1, LimitReserved, 0)
	s.Settle(k, third, Claim{NanoUSD: 99})
	fourth := take(500, NoLimit, 1)
	s.Settle(k, fourth, Claim{NanoUSD: math.MaxInt64})
	take(1, LimitBudget, 0)
	if a := s.of("k"); a.spent != math.MaxInt64 || a.reserved != 0 {
		t.Errorf("%d spent, %d reserved", a.spent, a.reserved)
	}
}

func TestPeriodsAreThoseOfTheCalendar(t *testing.T) {
	for _, c := range []struct {
		zone, at, from, until string
		period                config.BudgetPeriod
	}{
		{"UTC", "2026-02-28T23:59:59Z", "2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z", config.BudgetDay},
		{"UTC", "2026-12-31T12:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", config.BudgetMonth},
		{"UTC", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z", config.BudgetMonth},
		// A day of 23 hours, one of 25, and the month with the change.
		{"Europe/Berlin", "2026-03-29T10:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", config.BudgetDay},
		{"Europe/Berlin", "2026-10-25T10:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", config.BudgetDay},
		{"Europe/Berlin", "2026-10-25T10:00:00Z", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z", config.BudgetMonth},
		// Midnight was left out: the day began at 01:00.
		{"America/Sao_Paulo", "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z", config.BudgetDay},
		{"America/Sao_Paulo", "2018-11-03T12:00:00Z", "2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z", config.BudgetDay},
		// Midnight came twice: the day began with the first.
		{"America/Havana", "2024-11-03T12:00:00Z", "2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z", config.BudgetDay},
		{"Asia/Kolkata", "2026-01-01T00:00:00Z", "2025-12-31T18:30:00Z", "2026-01-31T18:30:00Z", config.BudgetMonth},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Skipf("no time zones here: %v", err)
		}
		at, _ := time.Parse(time.RFC3339, c.at)
		from, until := periodOf(c.period, at.In(zone))
		if got, to := from.UTC().Format(time.RFC3339), until.UTC().Format(time.RFC3339); got != c.from || to != c.until {
			t.Errorf("%s of %s in %s: from %s to %s, want %s to %s", c.period, c.at, c.zone, got, to, c.from, c.until)
		}
	}
}

func TestClockStepsDoNotRenewABudget(t *testing.T) {
	day := func(d, hour int) time.Time { return time.Date(2026, 5, d, hour, 0, 0, 0, time.Local) }
	a := new(account)
	a.begin(config.BudgetDay, day(10, 12), 70, 0)
	for _, c := range []struct {
		name  string
		at    time.Time
		spent int64
		until time.Time
	}{
		{"later that day", day(10, 23), 70, day(11, 0)},
		{"the next day", day(11, 0), 0, day(12, 0)},
		{"put back over midnight", day(10, 23), 50, day(12, 0)},
		{"midnight again", day(11, 0), 50, day(12, 0)},
		{"days ahead", day(20, 5), 0, day(21, 0)},
		{"the clock was wrong", day(12, 5), 50, day(13, 0)},
		{"the day after", day(13, 0), 0, day(14, 0)},
	} {
		if a.turn(c.at); a.spent != c.spent || a.until != c.until.UnixNano() {
			t.Errorf("%s: %d spent until %v, want %d until %v", c.name, a.spent, time.Unix(0, a.until), c.spent, c.until)
		}
		a.spent = max(a.spent, 50)
	}
	a.begin(config.BudgetTotal, day(10, 12), 70, 0)
	for _, at := range []time.Time{day(1, 0), time.Unix(0, 0), day(31, 0), time.Date(2200, 1, 1, 0, 0, 0, 0, time.Local)} {
		if a.turn(at); a.spent != 70 {
			t.Errorf("in total, at %v: %d spent", at, a.spent)
		}
	}
}

func TestRatesOfAKeyAreKeptByParallelRequests(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k := keyWith(func(k *config.APIKey) { k.RPM, k.TPM, k.Concurrency = 100, 5000, 7 })
		s := opened(t, nil, *k)
		var running, most, let atomic.Int64
		for range 20 {
			go func() {
				for range 500 {
					taken, standing := s.Take(k, Claim{Tokens: 70})
					if standing.Refused == NoLimit {
						let.Add(1)
						n := running.Add(1)
						for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
						}
						time.Sleep(time.Millisecond)
						running.Add(-1)
						s.Settle(k, taken, Claim{Tokens: 40})
					}
					time.Sleep(time.Millisecond)
				}
			}()
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		// Settled at 40, the requests are the limit.
		if let.Load() != 100 || most.Load() != 7 {
			t.Errorf("%d were let in, at most %d at once; want 100, 7", let.Load(), most.Load())
		}
	})
}

func TestBudgetsBeginWithWhatWasSpent(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var asked []time.Time
		spent := map[string]int64{"day": 1, "month": 2, "total": 3, "later": 4}
		var broken error
		lookUp := func(since time.Time) (map[string]int64, error) {
			asked = append(asked, since)
			return spent, broken
		}
		key := func(id string, p config.BudgetPeriod, budget int64) config.APIKey {
			return config.APIKey{Object: config.Object{ID: id}, BudgetPeriod: p, BudgetNanoUSD: budget}
		}
		keys := []config.APIKey{key("day", "day", 9), key("month", "month", 9), key("total", "", 9), key("later", "", 0), key("day2", "day", 9)}
		keys[3].RPM = 1
		s := new(accounts)
		if err := s.open(keys, lookUp); err != nil {
			t.Fatal(err)
		}
		clock := time.Now()
		wantAsked := []time.Time{{}, startOfDay(clock.Year(), clock.Month(), clock.Day(), time.Local), startOfDay(clock.Year(), clock.Month(), 1, time.Local)}
		if len(asked) != 3 || !asked[0].IsZero() || !asked[1].Equal(wantAsked[1]) || !asked[2].Equal(wantAsked[2]) {
			t.Errorf("asked for %v, want %v", asked, wantAsked)
		}
		for id, want := range map[string]int64{"day": 1, "month": 2, "total": 3, "later": 0, "day2": 0} {
			if got := s.of(id).spent; got != want {
				t.Errorf("%s: %d spent, want %d", id, got, want)
			}
		}

		// What is known is not asked for again, whatever else changes.
		asked, keys[0].BudgetNanoUSD, keys[0].RPM = nil, 20, 5
		if err := s.open(keys, lookUp); err != nil || len(asked) != 0 {
			t.Errorf("asked again for %v, %v", asked, err)
		}
		// Another period is new, and so is a budget of a key that had none. What ends while the sums are made is added.
		taken, _ := s.Take(&keys[3], Claim{Spends: true})
		keys[3].BudgetNanoUSD, keys[0].BudgetPeriod = 9, config.BudgetTotal
		err := s.open(keys, func(since time.Time) (map[string]int64, error) {
			s.Settle(&keys[3], taken, Claim{NanoUSD: 10})
			return lookUp(since)
		})
		if err != nil || len(asked) != 1 || !asked[0].IsZero() || s.of("later").spent != 14 || s.of("day").spent != 1 {
			t.Errorf("asked for %v, %v: %d and %d spent", asked, err, s.of("later").spent, s.of("day").spent)
		}

		// Without an answer nothing changes.
		broken = errors.New("broken")
		if err := s.open(append(keys, key("new", "day", 9)), lookUp); !errors.Is(err, broken) || s.of("new") != nil {
			t.Errorf("got %v", err)
		}
	})
}

func TestAccountsAreKeptWhileTheyAreUsed(t *testing.T) {
	k := keyWith(func(k *config.APIKey) { k.Concurrency = 1 })
	s := opened(t, nil, *k)
	taken, _ := s.Take(k, Claim{})
	s.keep(nil)
	// The limit is back before the request has ended.
	if err := s.open([]config.APIKey{*k}, nil); err != nil {
		t.Fatal(err)
	}
	if _, standing := s.Take(k, Claim{}); standing.Refused != LimitConcurrency {
		t.Errorf("a second request: %+v", standing)
	}
	s.Settle(k, taken, Claim{})
	s.keep(nil)
	if s.of("k") != nil {
		t.Error("an account without limits is kept")
	}
	if taken, standing := s.Take(k, Claim{}); standing.Refused != NoLimit {
		t.Errorf("a key without an account is refused: %+v", standing)
	} else {
		s.Settle(k, taken, Claim{})
	}
}

func TestWhatEndsInTheNextPeriodIsSpentThere(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		k := keyWith(func(k *config.APIKey) { k.BudgetNanoUSD, k.BudgetPeriod = 1000, config.BudgetDay })
		s := opened(t, map[string]int64{"k": 900}, *k)
		a := s.of("k")
		taken, _ := s.Take(k, Claim{NanoUSD: 70, Spends: true})
		time.Sleep(24 * time.Hour)
		s.Settle(k, taken, Claim{NanoUSD: 60})
		if a.spent != 60 || a.reserved != 0 {
			t.Errorf("%d spent, %d reserved; want 60, 0", a.spent, a.reserved)
		}
		taken, _ = s.Take(k, Claim{NanoUSD: 600, Spends: true})
		time.Sleep(24 * time.Hour)
		other, standing := s.Take(k, Claim{NanoUSD: 2000, Spends: true})
		if standing.Refused != NoLimit || a.spent != 0 || a.reserved != 1000 {
			t.Errorf("%+v, %d spent, %d reserved; what is reserved stays", standing, a.spent, a.reserved)
		}
		s.Settle(k, taken, Claim{})
		s.Settle(k, other, Claim{})
	})
}
