package gateway

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/gatewaytest"
	"octopus/gateway/outcome"
	"octopus/lb"
)

// leastLatency puts the group in that mode.
func leastLatency(c *config.Config) { c.Groups[0].Mode = config.ModeLeastLatency }

// loadOf returns the load of the nth provider's member, counted from 1.
func loadOf(t *testing.T, g *Gateway, n int) *lb.Load {
	t.Helper()
	load := g.snapshot.Load().loads[loadID{fmt.Sprintf("channel%05d", n-1), "upstream"}]
	if load == nil {
		t.Fatalf("p%d has no load", n)
	}
	return load
}

func TestLeastLatencySendsRequestsToTheFasterMember(t *testing.T) {
	for _, stream := range []bool{true, false} {
		t.Run(fmt.Sprintf("stream=%t", stream), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				answer := func(after time.Duration) dialer {
					if stream {
						return answering(after, streamHead+chatEvent("hi")+chatEnd)
					}
					return answering(after, wholeChat)
				}
				w := newBubble(t, leastLatency, answer(3*time.Second), answer(100*time.Millisecond))
				const requests = 30
				got := map[string]int{}
				for i := range requests {
					if status, body := w.call(llm.Chat, stream); status != 200 {
						t.Fatalf("got %d: %s", status, body)
					}
					got[w.ledger.wait(t, i+1).Attempts[0].Channel]++
				}
				// The slow one is tried once, and for the next five minutes no more.
				if got["p1"] != 1 || got["p2"] != requests-1 {
					t.Errorf("requests by channel: %v, want p1 once", got)
				}
				if first := loadOf(t, w.gateway, 2).Latency(sinceStart()); first <= 0 || first > 150*time.Millisecond {
					t.Errorf("latency of the fast one is %v", first)
				}
				if stream {
					return
				}
				// The answer is 30 tokens and more: its first one came earlier.
				if first := loadOf(t, w.gateway, 2).Latency(sinceStart()); first < 20*time.Millisecond || first > 90*time.Millisecond {
					t.Errorf("the first token of a whole answer that took 100 ms is taken to have come after %v", first)
				}
			})
		})
	}
}

func TestSilentAttemptsCountAsSlow(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, func(c *config.Config) {
			c.Groups[0].Mode = config.ModeFailover
			c.Groups[0].Policy.FirstTokenTimeout = 7 * time.Second
		}, answering(8*time.Second, wholeChat), answering(0, streamHead+chatEvent("hi")+chatEnd))
		if status, body := w.call(llm.Chat, true); status != 200 {
			t.Fatalf("got %d: %s", status, body)
		}
		if got := loadOf(t, w.gateway, 1).Latency(sinceStart()); got < 6900*time.Millisecond || got > 7*time.Second {
			t.Errorf("latency %v after a silence of 7 s", got)
		}
	})
}

func TestASilenceThatTheDeadlineCutShortSaysNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, func(c *config.Config) { c.Groups[0].Policy.Deadline = 300 * time.Millisecond }, answering(time.Second, wholeChat))
		if status, body := w.call(llm.Chat, false); status != 504 {
			t.Fatalf("got %d: %s", status, body)
		}
		if got := loadOf(t, w.gateway, 1).Latency(sinceStart()); got != 0 {
			t.Errorf("latency %v, want none", got)
		}
	})
}

func TestMembersAreInFlightUntilTheAnswerEnds(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newBubble(t, leastLatency, answering(time.Second, streamHead+chatEvent("hi"), chatEvent("you"), chatEnd))
		load := loadOf(t, w.gateway, 1)
		var seen []int64
		go func() {
			for range 5 {
				seen = append(seen, load.InFlight())
				time.Sleep(900 * time.Millisecond)
			}
		}()
		if status, body := w.call(llm.Chat, true); status != 200 || load.InFlight() != 0 {
			t.Errorf("got %d with %d still in flight: %s", status, load.InFlight(), body)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		// It takes three seconds: at 0.9, 1.8 and 2.7 s it was in flight, at 3.6 s no more.
		if got := fmt.Sprint(seen[1:]); got != "[1 1 1 0]" {
			t.Errorf("in flight while it ran: %v", got)
		}
	})
}

func TestNothingStaysInFlightHoweverRequestsEnd(t *testing.T) {
	w := newWorld(t, 2, func(c *config.Config) {
		leastLatency(c)
		c.Groups[0].Policy.FirstTokenTimeout, c.Groups[0].Policy.AnswerTimeout = 50*time.Millisecond, 50*time.Millisecond
		c.Groups[0].Policy.Deadline = 300 * time.Millisecond // the last target is waited for until then
	})
	rows := 0
	for _, fault := range []string{"", "status=503", "status=400", "status=500", "reset", "html", "cut=1", "errorevent=1", "silent", "truncated"} {
		for _, p := range w.providers {
			if err := p.SetScript(fault); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range llm.Protocols {
			for _, stream := range []bool{false, true} {
				w.call(p, "m", stream)
				rows++
			}
		}
		if fault != "silent" { // the default policy has no patience to lose
			w.call(llm.Chat, "p1/upstream", true)
			rows++
		}
	}
	// Clients that leave: before the first token and behind it.
	for _, script := range []string{"silent", "tokens=1000,every=10ms"} {
		for _, p := range w.providers {
			if err := p.SetScript(script); err != nil {
				t.Fatal(err)
			}
			p.Reset()
		}
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, w.url+paths[llm.Chat], strings.NewReader(requestBody(llm.Chat, "p1/upstream", true)))
		req.Header.Set("Authorization", "Bearer "+testKey)
		if script == "silent" {
			go func() {
				_, _ = w.providers[0].Wait(ctx, gatewaytest.Arrived(1))
				cancel()
			}()
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			if load := loadOf(t, w.gateway, 1); load.InFlight() != 1 {
				t.Errorf("%d in flight while a channel is called directly, want 1", load.InFlight())
			}
			_, _ = resp.Body.Read(make([]byte, 1))
			cancel()
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		cancel()
		rows++
		w.ledger.wait(t, rows)
	}
	if o := w.ledger.wait(t, rows); o.Class != outcome.ClassClientGone {
		t.Errorf("the last client left, and its request ended with %v", o.Class)
	}
	for n := range w.providers {
		if got := loadOf(t, w.gateway, n+1).InFlight(); got != 0 {
			t.Errorf("p%d has %d in flight", n+1, got)
		}
	}
}

func TestLoadsSurviveAChangeOfConfiguration(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var w *bubble
		apply := func(change func(*config.Config)) {
			c := newConfig([]string{"http://p1.test/v1", "http://p2.test/v1"})
			leastLatency(c)
			change(c)
			if err := w.gateway.Apply(c); err != nil {
				t.Fatal(err)
			}
		}
		swapped := func(time.Duration) (net.Conn, error) {
			apply(func(c *config.Config) { c.Groups[0].Aliases = []string{"other"} })
			return answering(time.Second, streamHead+chatEvent("hi")+chatEnd)(0)
		}
		w = newBubble(t, leastLatency, swapped, swapped)
		before, balance := w.gateway.snapshot.Load().loads, w.gateway.snapshot.Load().groups["m"].balance
		if status, body := w.call(llm.Chat, true); status != 200 {
			t.Fatalf("got %d: %s", status, body)
		}
		after := w.gateway.snapshot.Load()
		if len(after.loads) != 2 || after.groups["m"].balance != balance || after.groups["other"] == nil {
			t.Fatalf("%d loads, another balancer: %t", len(after.loads), after.groups["m"].balance != balance)
		}
		observed := 0
		for id, load := range after.loads {
			if before[id] != load || load.InFlight() != 0 {
				t.Errorf("%v: another load, or %d in flight", id, load.InFlight())
			}
			if load.Latency(sinceStart()) > 0 {
				observed++
			}
		}
		if observed != 1 {
			t.Errorf("%d members were observed, want the one that answered", observed)
		}
		// The members of two groups that name the same target share its load; another channel of the same name has its own.
		apply(func(c *config.Config) {
			c.Groups = append(c.Groups, c.Groups[0])
			c.Groups[1].Object.ID, c.Groups[1].Name, c.Groups[1].Aliases = "group0000002", "n", nil
			c.Channels[1].ID = "channelOTHER"
		})
		s := w.gateway.snapshot.Load()
		m, n := s.groups["m"].members, s.groups["n"].members
		if m[0].load != n[0].load || m[1].load != n[1].load || m[0].load != before[loadID{"channel00000", "upstream"}] {
			t.Error("loads of one target differ between groups")
		}
		if m[1].load == before[loadID{"channel00001", "upstream"}] || s.groups["m"].balance == balance {
			t.Error("a channel that was made anew has the load of the one before")
		}
	})
}
