package gateway

import (
	"cmp"
	"maps"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"octopus/gateway/config"
)

// isLimited reports whether an API key has a limit.
func isLimited(k *config.APIKey) bool {
	return k.BudgetNanoUSD > 0 || k.RPM > 0 || k.TPM > 0 || k.Concurrency > 0
}

// account is what an API key with limits has taken of them. It outlives snapshots.
//
// A budget is never oversold by requests that cost no more than was reserved for them, however many run at once: what is spent
// and reserved together stays below it when a request is let in, and what is reserved ends there. Only the last one let in may
// cost more than was left, so that less than its cost is spent beyond the budget. A request that costs more than the
// expectation it was let in with adds the difference.
type account struct {
	// mu guards what follows.
	mu sync.Mutex
	// running counts the requests that run.
	running int
	// requests and tokens are those of the last minute.
	requests, tokens window
	// spent is what was spent in the period from from to until, in nano-USD; reserved is what the requests that run may still
	// spend.
	spent, reserved int64
	// settled is what was spent since the account is there, whatever the period.
	settled int64
	// period is that of the budget, empty while there has been none. from and until are nanoseconds since 1970.
	period      config.BudgetPeriod
	from, until int64
}

// take implements Shared.Take.
func (a *account) take(k *config.APIKey, want Claim) (Claim, Standing) {
	at := now()
	a.mu.Lock()
	defer a.mu.Unlock()
	var s Standing
	if s.Refused, s.Wait = a.check(k, at, &want); s.Refused == NoLimit {
		want.at = at
		want.Tokens = min(want.Tokens, int64(k.TPM))
		a.running++
		a.requests.add(at, 1)
		a.tokens.add(at, want.Tokens)
		if want.NanoUSD = min(want.NanoUSD, k.BudgetNanoUSD-a.spent-a.reserved); !want.Spends || k.BudgetNanoUSD == 0 {
			want.NanoUSD = 0
		}
		a.reserved += want.NanoUSD
	}
	s.Requests, s.Tokens = a.requests.allowance(at, k.RPM), a.tokens.allowance(at, k.TPM)
	return want, s
}

// check returns the limit that a request has to be refused for, and how long it is until that allows it. Of several it is the
// one that takes the longest. The caller holds a.mu.
func (a *account) check(k *config.APIKey, at instant, want *Claim) (Limit, time.Duration) {
	if want.Spends && k.BudgetNanoUSD > 0 {
		clock := time.Now()
		switch a.turn(clock); {
		case a.spent >= k.BudgetNanoUSD && a.until == math.MaxInt64:
			return LimitBudget, 0
		case a.spent >= k.BudgetNanoUSD:
			return LimitBudget, time.Duration(a.until - clock.UnixNano())
		case a.spent+a.reserved >= k.BudgetNanoUSD:
			return LimitReserved, 0
		}
	}
	var requests, tokens instant
	if k.RPM > 0 {
		requests = a.requests.room(at, int64(k.RPM), 1)
	}
	if k.TPM > 0 {
		tokens = a.tokens.room(at, int64(k.TPM), want.Tokens)
	}
	switch {
	case requests > 0 && requests >= tokens:
		return LimitRequests, at.until(requests)
	case tokens > 0:
		return LimitTokens, at.until(tokens)
	case k.Concurrency > 0 && a.running >= k.Concurrency:
		return LimitConcurrency, 0
	}
	return NoLimit, 0
}

// settle implements Shared.Settle.
func (a *account) settle(taken, used Claim) {
	at := now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running--
	a.tokens.takeBack(at, taken.at, taken.Tokens)
	a.tokens.add(at, used.Tokens)
	a.reserved -= taken.NanoUSD
	if used.NanoUSD > 0 {
		if a.period != "" {
			a.turn(time.Now())
		}
		a.settled += min(used.NanoUSD, math.MaxInt64-a.settled)
		a.spent += min(used.NanoUSD, math.MaxInt64-a.spent)
	}
}

// clockStep is how far the clock may go back without the account taking that for the truth.
const clockStep = 24 * time.Hour

// turn begins the period of a time, with nothing spent. A clock that is put back a little does not begin one anew; what was spent
// stays spent in any case. The caller holds a.mu.
func (a *account) turn(clock time.Time) {
	switch at := clock.UnixNano(); {
	case at >= a.until:
		a.spent = 0
	case a.period == config.BudgetTotal || at >= a.from-int64(clockStep):
		return
	}
	from, until := periodOf(a.period, clock)
	a.from, a.until = from.UnixNano(), until.UnixNano()
}

// begin makes spent what was spent in the period that a time is in. already is what settled was before that was looked up: what
// has come since is added.
func (a *account) begin(p config.BudgetPeriod, clock time.Time, spent, already int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.period, a.from, a.until = p, 0, math.MaxInt64
	if p != config.BudgetTotal {
		from, until := periodOf(p, clock)
		a.from, a.until = from.UnixNano(), until.UnixNano()
	}
	a.spent = spent + min(a.settled-already, math.MaxInt64-spent)
}

// periodOf returns the day or the month that a time is in, by the calendar of its location: from its beginning to the next one's.
func periodOf(p config.BudgetPeriod, t time.Time) (from, until time.Time) {
	y, m, d := t.Date()
	if p == config.BudgetMonth {
		return startOfDay(y, m, 1, t.Location()), startOfDay(y, m+1, 1, t.Location())
	}
	return startOfDay(y, m, d, t.Location()), startOfDay(y, m, d+1, t.Location())
}

// startOfDay returns the first moment of a day. Where clocks are put forward at midnight, that is not midnight.
func startOfDay(y int, m time.Month, d int, in *time.Location) time.Time {
	const step = 15 * time.Minute // changes of the time are multiples of it
	t, day := time.Date(y, m, d, 0, 0, 0, 0, in), time.Date(y, m, d, 12, 0, 0, 0, in).Day()
	for t.Day() != day {
		t = t.Add(step)
	}
	for t.Add(-step).Day() == day {
		t = t.Add(-step)
	}
	return t
}

// allowance is what is left of a limit.
func (w *window) allowance(at instant, limit int) Allowance {
	if limit == 0 {
		return Allowance{}
	}
	left := Allowance{Left: max(0, int64(limit)-w.sum)}
	if lifted := w.lifted(at); lifted > 0 {
		left.Reset = at.until(lifted)
	}
	return left
}

// accounts are those of this process, by the API key's id.
type accounts struct {
	// known is replaced, never changed, by open and keep, one of them at a time. Requests read it.
	known atomic.Pointer[map[string]*account]
}

// Take implements Shared. A key that has no account lost its limits a moment ago.
func (s *accounts) Take(key *config.APIKey, want Claim) (Claim, Standing) {
	if a := s.of(key.ID); a != nil {
		return a.take(key, want)
	}
	return Claim{}, Standing{}
}

// Settle implements Shared.
func (s *accounts) Settle(key *config.APIKey, taken, used Claim) {
	if a := s.of(key.ID); a != nil && taken.at != 0 {
		a.settle(taken, used)
	}
}

func (s *accounts) of(id string) *account { return s.all()[id] }

func (s *accounts) all() map[string]*account {
	if known := s.known.Load(); known != nil {
		return *known
	}
	return nil
}

// open makes accounts for those keys with limits that have none yet. What they have spent in the present period of a budget that
// is new to the process is asked of spent, which may be nil.
func (s *accounts) open(keys []config.APIKey, spent func(since time.Time) (map[string]int64, error)) error {
	known := maps.Clone(s.all())
	if known == nil {
		known = make(map[string]*account)
	}
	for i := range keys {
		if k := &keys[i]; isLimited(k) && known[k.ID] == nil {
			known[k.ID] = new(account)
		}
	}
	for _, period := range [...]config.BudgetPeriod{config.BudgetTotal, config.BudgetDay, config.BudgetMonth} {
		if err := beginAll(known, keys, period, spent); err != nil {
			return err
		}
	}
	s.known.Store(&known)
	return nil
}

// beginAll begins the budgets of a period that are new.
func beginAll(known map[string]*account, keys []config.APIKey, period config.BudgetPeriod, spent func(time.Time) (map[string]int64, error)) error {
	already := make(map[string]int64)
	for i := range keys {
		k := &keys[i]
		if k.BudgetNanoUSD == 0 || cmp.Or(k.BudgetPeriod, config.BudgetTotal) != period {
			continue
		}
		a := known[k.ID]
		a.mu.Lock()
		if a.period != period {
			already[k.ID] = a.settled
		}
		a.mu.Unlock()
	}
	if len(already) == 0 {
		return nil
	}
	clock := time.Now()
	var since time.Time
	if period != config.BudgetTotal {
		since, _ = periodOf(period, clock)
	}
	var sums map[string]int64
	if spent != nil {
		var err error
		if sums, err = spent(since); err != nil {
			return err
		}
	}
	for id, settled := range already {
		known[id].begin(period, clock, sums[id], settled)
	}
	return nil
}

// keep forgets what keys don't limit, once nothing of it runs.
func (s *accounts) keep(keys []config.APIKey) {
	limited := make(map[string]bool)
	for i := range keys {
		if isLimited(&keys[i]) {
			limited[keys[i].ID] = true
		}
	}
	known := maps.Clone(s.all())
	maps.DeleteFunc(known, func(id string, a *account) bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return !limited[id] && a.running == 0
	})
	s.known.Store(&known)
}
