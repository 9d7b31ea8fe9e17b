package gateway

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"octopus/gateway/config"
	"octopus/gateway/outcome"
)

// clinic is a health with one target on it.
type clinic struct {
	health
	target   target
	cooldown config.Cooldown
}

func newClinic() *clinic {
	c := &clinic{health: newHealth(), cooldown: config.Cooldown{Base: 5 * time.Second, Max: 30 * time.Second}}
	c.random = func() float64 { return 0.5 }
	ch := &channel{id: "channel00001", keys: []channelKey{{id: "key000000001"}}, health: make(map[string]*modelHealth)}
	ch.standing = c.standing(standingID{scope: scopeChannel, channel: ch.id})
	ch.keys[0].standing = c.standing(standingID{scope: scopeKey, channel: ch.id, key: "key000000001"})
	c.addModel(ch, "x")
	m := newMember(ch, "x")
	c.target = target{member: &m, key: &ch.keys[0]}
	return c
}

// fail has an attempt that starts now fail at once with that class.
func (c *clinic) fail(p pass, class outcome.Class, asked time.Duration) {
	c.failed(&c.target, &p, rules[class].scope, class, now(), asked, &c.cooldown)
	c.release(&c.target, &p)
}

// out returns for how long the target is out.
func (c *clinic) out() time.Duration {
	o := c.target.member.obstacle(now())
	if o.by == nil {
		return 0
	}
	return now().until(o.opens)
}

func (c *clinic) tryNow() (pass, grant) { return c.admit(&c.target, now(), false) }

func TestWhichFailuresTakeATargetOutAndForHowLong(t *testing.T) {
	for _, test := range []struct {
		class  outcome.Class
		asked  time.Duration
		first  int // the failure in a row that takes it out
		out    time.Duration
		second time.Duration // after a probe that failed in the same way
	}{
		{outcome.ClassTransient, 0, 3, 5 * time.Second, 10 * time.Second},
		{outcome.ClassNonsense, 0, 3, 5 * time.Second, 10 * time.Second},
		{outcome.ClassCut, 0, 3, 5 * time.Second, 10 * time.Second},
		{outcome.ClassOverloaded, 0, 1, 5 * time.Second, 10 * time.Second},
		{outcome.ClassOverloaded, time.Second, 1, time.Second, time.Second},
		{outcome.ClassOverloaded, time.Minute, 1, time.Minute, time.Minute},
		{outcome.ClassSilent, 0, 1, 5 * time.Second, 10 * time.Second},
		{outcome.ClassRateLimited, 0, 1, time.Second, 2 * time.Second},
		{outcome.ClassRateLimited, 2 * time.Second, 1, 2 * time.Second, 2 * time.Second},
		{outcome.ClassRateLimited, 7 * time.Hour, 1, 7 * time.Hour, 7 * time.Hour},
		{outcome.ClassCredential, 0, 1, 10 * time.Minute, 20 * time.Minute},
		{outcome.ClassCredential, time.Second, 1, 10 * time.Minute, 20 * time.Minute},
		{outcome.ClassQuota, 0, 1, time.Hour, time.Hour},
		{outcome.ClassQuota, 5 * time.Hour, 1, 5 * time.Hour, 5 * time.Hour},
		{outcome.ClassModel, 0, 1, 10 * time.Minute, 10 * time.Minute},
	} {
		t.Run(test.class.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				c := newClinic()
				for n := 1; n <= test.first; n++ {
					if c.out() != 0 {
						t.Fatalf("out before failure %d", n)
					}
					c.fail(pass{}, test.class, test.asked)
				}
				if got := c.out(); got != test.out {
					t.Errorf("out for %v, want %v", got, test.out)
				}
				time.Sleep(test.out)
				p, admission := c.tryNow()
				if admission != admitted || !p.isProbe() {
					t.Fatalf("the probe: %v, %+v", admission, p)
				}
				if c.fail(p, test.class, test.asked); c.out() != test.second {
					t.Errorf("out for %v after a probe failed, want %v", c.out(), test.second)
				}
			})
		})
	}
}

func TestRestGrowsWithJitterAndNeverBeyondItsMost(t *testing.T) {
	h := newHealth()
	cooldown := config.Cooldown{Base: 5 * time.Second, Max: 30 * time.Second}
	for trips, nominal := range map[int]time.Duration{1: 5 * time.Second, 2: 10 * time.Second, 3: 20 * time.Second, 4: 24 * time.Second, 100: 24 * time.Second} {
		different := make(map[time.Duration]bool)
		for range 200 {
			got := h.rest(outcome.ClassOverloaded, trips, &cooldown)
			if got < nominal*8/10 || got > nominal*12/10 || got > cooldown.Max {
				t.Fatalf("trip %d: %v, want %v ±20 %% and at most %v", trips, got, nominal, cooldown.Max)
			}
			different[got] = true
		}
		if len(different) < 100 {
			t.Errorf("trip %d: %d different times of 200", trips, len(different))
		}
	}
	if got := h.rest(outcome.ClassCredential, 50, &cooldown); got > 6*time.Hour || got < 3*time.Hour {
		t.Errorf("a refused key rests %v", got)
	}
}

func TestSuccessEndsTheRowOfFailures(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c := newClinic()
		for range 10 {
			c.fail(pass{}, outcome.ClassTransient, 0)
			c.fail(pass{}, outcome.ClassTransient, 0)
			c.succeeded(&c.target)
		}
		if c.out() != 0 || !c.calm() {
			t.Error("out although no three failures were in a row")
		}
	})
}

func TestOneProbeGoesFirstAndTheOthersFollowInSteps(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c := newClinic()
		c.fail(pass{}, outcome.ClassOverloaded, 0)
		if _, admission := c.tryNow(); admission != refused || c.calm() {
			t.Fatalf("while it is out: %v", admission)
		}
		time.Sleep(5 * time.Second)
		probe, admission := c.tryNow()
		if admission != admitted {
			t.Fatalf("the probe: %v", admission)
		}
		if _, admission := c.tryNow(); admission != refused {
			t.Errorf("while it is probed: %v", admission)
		}
		c.passed(&c.target, &probe, &c.cooldown)
		share := func() (n int) {
			for range 100 {
				if _, admission := c.tryNow(); admission == admitted {
					n++
				} else if admission != heldBack {
					t.Fatalf("on its way back: %v", admission)
				}
			}
			return n
		}
		for _, want := range []int{25, 50, 100} {
			if got := share(); got != want {
				t.Errorf("%d of 100 requests were let through, want %d", got, want)
			}
			time.Sleep(c.cooldown.Base / 2)
		}
		if !c.calm() {
			t.Error("still troubled after it took all requests again")
		}
		c.fail(pass{}, outcome.ClassOverloaded, 0)
		if got := c.out(); got != 5*time.Second {
			t.Errorf("out for %v after it had come back in full, want the first cooldown", got)
		}
	})
}

func TestProbeThatEndsNeitherWayGivesItsPlaceBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c := newClinic()
		c.fail(pass{}, outcome.ClassSilent, 0)
		time.Sleep(5 * time.Second)
		for range 3 {
			p, admission := c.tryNow()
			if admission != admitted {
				t.Fatalf("got %v", admission)
			}
			c.release(&c.target, &p)
		}
	})
}

func TestFailureWhileComingBackTakesItOutAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c := newClinic()
		began := now()
		for range 3 {
			c.fail(pass{}, outcome.ClassTransient, 0)
		}
		time.Sleep(5 * time.Second)
		p, _ := c.tryNow()
		c.passed(&c.target, &p, &c.cooldown)
		c.failed(&c.target, new(pass), scopeModel, outcome.ClassTransient, began, 0, &c.cooldown)
		if c.out() != 0 {
			t.Error("an attempt from before it came back took it out again")
		}
		time.Sleep(time.Second)
		if c.fail(pass{}, outcome.ClassTransient, 0); c.out() != 5*time.Second {
			t.Errorf("out for %v, want the first cooldown", c.out())
		}
	})
}

func TestAttemptsThatRanWhenItWentOutChangeNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c := newClinic()
		for range 20 {
			c.fail(pass{}, outcome.ClassOverloaded, 0)
		}
		if got := c.out(); got != 5*time.Second {
			t.Errorf("out for %v, want one cooldown", got)
		}
		if c.fail(pass{}, outcome.ClassOverloaded, 40*time.Second); c.out() != 40*time.Second {
			t.Errorf("out for %v, want as long as it asked", c.out())
		}
	})
}

func TestLastResortIsOneRequestPerInterval(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		c := newClinic()
		c.fail(pass{}, outcome.ClassCredential, 0)
		let := 0
		for range 300 { // half a minute
			if p, ok := c.admitLast(&c.target, now()); ok {
				let++
				c.release(&c.target, &p)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if let != 5 {
			t.Errorf("%d requests were let through in 30 s, want 5", let)
		}
		p, ok := c.admitLast(&c.target, now())
		if !ok {
			t.Fatal("not let through")
		}
		if c.passed(&c.target, &p, &c.cooldown); c.out() != 0 {
			t.Error("still out although the request succeeded")
		}
	})
}

func TestOneOfManyIsTheProbe(t *testing.T) {
	for range 50 {
		c := newClinic()
		c.cooldown = config.Cooldown{}
		c.fail(pass{}, outcome.ClassOverloaded, 0)
		time.Sleep(10 * time.Microsecond)
		var let atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, admission := c.tryNow(); admission == admitted {
					let.Add(1)
				}
			})
		}
		if all.Wait(); let.Load() != 1 {
			t.Fatalf("%d probes, want 1", let.Load())
		}
	}
}

func TestHealthSurvivesTheConfigurationButNotANewSecret(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, func(c *config.Config) {
			c.Channels[0].Models = []string{"another"}
			c.Channels[0].Keys = append(c.Channels[0].Keys, config.Key{ID: "key000000009", Secret: "sk-upstream-second", Weight: 1})
		}, answering(0, wholeChat))
		g := w.gateway
		states := func() (list []TargetState) {
			for _, h := range g.Targets() {
				list = append(list, h.State)
			}
			return list
		}
		out := func(want ...TargetState) {
			t.Helper()
			got := states()
			for i := range want {
				if len(got) != len(want) || got[i] != want[i] {
					t.Fatalf("got %v, want %v", got, want)
				}
			}
		}
		swap := func(change func(*config.Config)) {
			t.Helper()
			cfg := *g.snapshot.Load().config
			cfg.Channels = append([]config.Channel(nil), cfg.Channels...)
			cfg.Channels[0].Keys = append([]config.Key(nil), cfg.Channels[0].Keys...)
			cfg.Groups = append([]config.Group(nil), cfg.Groups...)
			cfg.Revision++
			change(&cfg)
			if err := g.Apply(&cfg); err != nil {
				t.Fatal(err)
			}
		}
		failKey := func(k int) {
			ch := g.snapshot.Load().channels["p1"]
			m := newMember(ch, "upstream")
			to := target{member: &m, key: &ch.keys[k], keyIndex: k}
			g.health.failed(&to, new(pass), scopeKey, outcome.ClassCredential, now(), 0, &config.Cooldown{})
		}
		// Two models, each with two keys.
		out(TargetSound, TargetSound, TargetSound, TargetSound)
		failKey(0)
		failKey(1)
		out(TargetOut, TargetOut, TargetOut, TargetOut)
		swap(func(c *config.Config) { c.Groups[0].Policy.Attempts = 3 })
		out(TargetOut, TargetOut, TargetOut, TargetOut)
		swap(func(c *config.Config) { c.Channels[0].Models = append(c.Channels[0].Models, "third") })
		out(TargetOut, TargetOut, TargetOut, TargetOut, TargetOut, TargetOut)
		swap(func(c *config.Config) { c.Channels[0].Keys[0].Secret = "sk-upstream-replaced" })
		out(TargetSound, TargetSound, TargetSound, TargetSound, TargetSound, TargetSound) // an edit gives all another chance
		failKey(1)
		out(TargetSound, TargetOut, TargetSound, TargetOut, TargetSound, TargetOut)
		g.ResetHealth("channel00000")
		out(TargetSound, TargetSound, TargetSound, TargetSound, TargetSound, TargetSound)
		failKey(0)
		known := len(g.health.known)
		swap(func(c *config.Config) { c.Channels[0].Models = nil })
		if got := len(g.health.known); got != known-6 { // two models less, each by itself and with two keys
			t.Errorf("%d standings are kept, want %d", got, known-6)
		}
		swap(func(c *config.Config) { c.Channels, c.Groups = nil, nil })
		if len(g.health.known) != 0 || !g.health.calm() {
			t.Errorf("%d standings are kept, %d troubled", len(g.health.known), g.health.troubled.Load())
		}
	})
}
