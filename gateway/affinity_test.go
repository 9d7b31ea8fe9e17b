package gateway

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/outcome"
	"octopus/lb"
)

// sticky gives the group an affinity in mode round-robin, and cooldowns that are over at once.
func sticky(a config.Affinity) func(*config.Config) {
	return func(c *config.Config) {
		c.Groups[0].Mode, c.Groups[0].Affinity = config.ModeRoundRobin, a
		c.Groups[0].Policy.Cooldown = config.Cooldown{Base: 1, Max: 1}
	}
}

// channelOf sends a request in a session and returns the channel that served it.
func (w *world) channelOf(p llm.Protocol, stream bool, session string) string {
	w.t.Helper()
	resp := w.post(paths[p], requestBody(p, "m", stream), "x-session-id", session)
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		w.t.Fatalf("session %s: %d, %v, %s", session, resp.StatusCode, err, body)
	}
	return resp.Header.Get("X-Octopus-Channel")
}

func TestASessionStaysOnItsTargetWhileThatIsUsable(t *testing.T) {
	for _, mode := range []config.Mode{config.ModeRoundRobin, config.ModeRandom, config.ModeWeighted, config.ModeLeastLatency} {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t, 3, func(c *config.Config) {
				sticky(config.AffinitySession)(c)
				c.Groups[0].Mode = mode
			})
			const sessions = 20
			id := func(i int) string { return fmt.Sprintf("session-%d", i) }
			owners, used := make([]string, sessions), map[string]bool{}
			for i := range owners {
				owners[i] = w.channelOf(llm.Chat, false, id(i))
				used[owners[i]] = true
			}
			if len(used) != 3 {
				t.Fatalf("%d sessions are on the channels %v only", sessions, used)
			}
			for i, owner := range owners {
				for _, p := range llm.Protocols {
					for _, stream := range []bool{true, false} {
						if got := w.channelOf(p, stream, id(i)); got != owner {
							t.Errorf("%s, %v, stream %t: on %s, before on %s", id(i), p, stream, got, owner)
						}
					}
				}
			}

			// The target fails, and the session goes on with another one.
			w.script("status=503")
			heirs := make([]string, sessions)
			for i, owner := range owners {
				heirs[i] = w.channelOf(llm.Chat, true, id(i))
				if (owner == "p1") == (heirs[i] == owner) {
					t.Errorf("%s was on %s and is on %s while p1 fails", id(i), owner, heirs[i])
				}
				if again := w.channelOf(llm.Messages, false, id(i)); again != heirs[i] {
					t.Errorf("%s is on %s and then on %s while p1 fails", id(i), heirs[i], again)
				}
			}
			// It is taken out of the configuration: the same other one.
			w.config.Channels[0].Enabled = false
			if err := w.gateway.Apply(w.config); err != nil {
				t.Fatal(err)
			}
			for i, heir := range heirs {
				if got := w.channelOf(llm.Chat, true, id(i)); got != heir {
					t.Errorf("%s is on %s without p1, on %s while it fails", id(i), got, heir)
				}
			}
			// It is back, and so are its sessions.
			w.script("")
			w.config.Channels[0].Enabled = true
			if err := w.gateway.Apply(w.config); err != nil {
				t.Fatal(err)
			}
			for i, owner := range owners {
				if got := w.channelOf(llm.Chat, true, id(i)); got != owner {
					t.Errorf("%s is on %s, before p1 failed on %s", id(i), got, owner)
				}
			}
		})
	}
}

func TestAffinityFollowsTheModesOrder(t *testing.T) {
	w := newWorld(t, 3, func(c *config.Config) {
		sticky(config.AffinitySession)(c)
		c.Groups[0].Mode = config.ModeFailover
		c.Groups[0].Members[0].Priority, c.Groups[0].Members[1].Priority, c.Groups[0].Members[2].Priority = 2, 1, 1
	})
	used := map[string]int{}
	for i := range 20 {
		used[w.channelOf(llm.Chat, false, fmt.Sprint(i))]++
	}
	if used["p1"] > 0 || used["p2"] == 0 || used["p3"] == 0 {
		t.Errorf("sessions by channel: %v, want p2 and p3, which have the first priority", used)
	}
	w.config.Groups[0].Mode = config.ModeWeighted
	w.config.Groups[0].Members[1].Weight = 0
	if err := w.gateway.Apply(w.config); err != nil {
		t.Fatal(err)
	}
	clear(used)
	for i := range 20 {
		used[w.channelOf(llm.Chat, false, fmt.Sprint(i))]++
	}
	if used["p2"] > 0 || used["p1"] == 0 || used["p3"] == 0 {
		t.Errorf("sessions by channel: %v, want none on p2, which is a cold standby", used)
	}
}

func TestWeightsShareSessionsWhereTheModeIsWeighted(t *testing.T) {
	gateway := New(Options{MaxBodySize: 1 << 20, Logger: slog.New(slog.DiscardHandler)})
	defer func() { _ = gateway.Shutdown(t.Context()) }()
	for mode, least := range map[config.Mode]int{config.ModeWeighted: 97, config.ModeRoundRobin: 0, config.ModeLeastLatency: 0} {
		c := newConfig([]string{"http://p1.test/v1", "http://p2.test/v1"})
		sticky(config.AffinitySession)(c)
		c.Groups[0].Mode, c.Groups[0].Members[0].Weight = mode, 1000
		if err := gateway.Apply(c); err != nil {
			t.Fatal(err)
		}
		g, first := gateway.snapshot.Load().groups["m"], 0
		for session := range 100 {
			if g.affinity.Pick(&g.eligible[llm.Chat], lb.Hash(uint64(session), nil)) == 0 {
				first++
			}
		}
		if first < least || least == 0 && first > 75 {
			t.Errorf("%s: %d of 100 sessions are on the member of weight 1000, the other has 1", mode, first)
		}
	}
}

// Two gateways that have never heard of each other, with the same file, whose objects have other ids.
func TestReplicasAgreeOnTheTargetOfASession(t *testing.T) {
	a := newWorld(t, 3, sticky(config.AffinitySession))
	b := newWorld(t, 3, func(c *config.Config) {
		sticky(config.AffinitySession)(c)
		for i := range c.Channels {
			c.Channels[i].ID = config.NewID()
		}
		c.APIKeys[0].ID = config.NewID()
		slices.Reverse(c.Groups[0].Members)
	})
	for i := range 20 {
		session := fmt.Sprint(i)
		if on, other := a.channelOf(llm.Chat, false, session), b.channelOf(llm.Chat, false, session); on != other {
			t.Errorf("session %s is on %s here, on %s there", session, on, other)
		}
	}
}

func TestTheOutcomeSaysThatATargetIsTheSessions(t *testing.T) {
	for affinity, want := range map[config.Affinity]outcome.Reason{
		config.AffinitySession: outcome.ByAffinity, config.AffinityNone: outcome.ByMode,
	} {
		w := newWorld(t, 3, sticky(affinity))
		row := w.script("")
		w.channelOf(llm.Chat, false, "one")
		if o := w.ledger.wait(t, row); len(o.Attempts) != 1 || o.Attempts[0].Why != want {
			t.Errorf("affinity %s: %+v, want the reason %v", affinity, o.Attempts, want)
		}
	}
}

func TestWithoutAffinityASessionTakesTurns(t *testing.T) {
	w := newWorld(t, 3, sticky(config.AffinityNone))
	var got []string
	for range 6 {
		got = append(got, w.channelOf(llm.Chat, false, "one"))
	}
	if want := []string{"p1", "p2", "p3", "p1", "p2", "p3"}; !slices.Equal(got, want) {
		t.Errorf("channels: %v, want %v", got, want)
	}
}

// affinityOf returns the key of a request with these headers (name, value, …) and that body.
func affinityOf(a config.Affinity, scope uint64, body string, headers ...string) affinityKey {
	c := new(call)
	c.key = &apiKey{scope: scope}
	c.route.group = &group{kind: a}
	if a != config.AffinityNone {
		c.route.group.affinity = newAffinity(config.ModeRoundRobin, nil)
	}
	c.request.Body = []byte(body)
	var h fasthttp.RequestHeader
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	c.findAffinity(&h)
	return c.affinity
}

func TestAffinityKeyOfEachCarrier(t *testing.T) {
	const session, cache = config.AffinitySession, config.AffinityPromptCache
	const prompt = `"messages":[{"role":"user","content":"hello"}]`
	key := func(a config.Affinity, id string) affinityKey { return affinityOf(a, 7, "{}", "x-session-id", id) }
	var all []string // each in front of the next
	for _, carrier := range []struct {
		name, field string // a header and its value, or a field
	}{
		{"x-session-id", ""}, {"session_id", ""}, {"", `"prompt_cache_key":"ID"`}, {"", `"metadata":{"user_id":"ID"}`},
		{"", `"conversation":"ID"`}, {"", `"conversation":{"id":"ID"}`}, {"conversation_id", ""},
	} {
		all = append(all, carrier.name+carrier.field)
		request := func(a config.Affinity, from string) affinityKey {
			if carrier.name != "" {
				return affinityOf(a, 7, "{"+from+"}", carrier.name, "ID")
			}
			if from != "" {
				from = "," + from
			}
			return affinityOf(a, 7, "{"+carrier.field+from+"}")
		}
		if got := request(session, prompt); got != key(session, "ID") {
			t.Errorf("session by %s%s: %v", carrier.name, carrier.field, got)
		}
		// Without a prompt the ids serve prompt-cache as well; with one only its own key goes before it.
		if got := request(cache, ""); got != key(cache, "ID") {
			t.Errorf("prompt-cache by %s%s, no prompt: %v", carrier.name, carrier.field, got)
		}
		want := affinityOf(cache, 7, "{"+prompt+"}")
		if strings.Contains(carrier.field, "prompt_cache_key") {
			want = key(cache, "ID")
		}
		if got := request(cache, prompt); got != want {
			t.Errorf("prompt-cache by %s%s with a prompt: %v, want %v", carrier.name, carrier.field, got, want)
		}
	}
	if len(all) != 7 {
		t.Fatalf("carriers: %v", all)
	}
	// Where several are there, the first counts.
	if got := affinityOf(session, 7, `{"prompt_cache_key":"c","metadata":{"user_id":"d"},"conversation":"e"}`,
		"x-session-id", "a", "session_id", "b", "conversation_id", "f"); got != key(session, "a") {
		t.Error("x-session-id does not come first")
	}
	if got := affinityOf(session, 7, `{"prompt_cache_key":"c","metadata":{"user_id":"d"}}`, "session_id", "b"); got != key(session, "b") {
		t.Error("session_id does not come before the body")
	}
	if got := affinityOf(session, 7, `{"conversation":"e","metadata":{"user_id":"d"},"prompt_cache_key":"c"}`); got != key(session, "c") {
		t.Error("prompt_cache_key does not come first in the body")
	}
	if got := affinityOf(session, 7, `{"conversation":"e","metadata":{"user_id":"d"}}`, "conversation_id", "f"); got != key(session, "d") {
		t.Error("metadata.user_id does not come before the conversation")
	}
}

func TestAffinityKeyOfThePrompt(t *testing.T) {
	long := strings.Repeat("long ", 500)
	for _, test := range []struct {
		name, a, b string
		same       bool
	}{
		{"a later turn of Chat",
			`{"messages":[{"role":"system","content":"S"},{"role":"user","content":"one"}]}`,
			`{"stream":true,"messages":[{"role":"system","content":"S"},{"role":"user","content":"one"},{"role":"assistant","content":"x"},{"role":"user","content":"two"}]}`, true},
		{"a later turn of Messages, whose cache mark has moved",
			`{"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"one","cache_control":{"type":"ephemeral"}}]}]}`,
			`{"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"one"}]},{"role":"assistant","content":"x"},{"role":"user","content":[{"type":"text","text":"two","cache_control":{"type":"ephemeral"}}]}]}`, true},
		{"Claude Code's billing block, which changes",
			`{"system":[{"type":"text","text":"x-anthropic-billing-header: cch=1;"},{"type":"text","text":"S"}],"messages":[{"role":"user","content":"one"}]}`,
			`{"system":[{"type":"text","text":"x-anthropic-billing-header: cch=2;"},{"type":"text","text":"S"}],"messages":[{"role":"user","content":"one"}]}`, true},
		{"a later turn of Responses",
			`{"instructions":"S","input":[{"role":"user","content":[{"type":"input_text","text":"one"}]}]}`,
			`{"instructions":"S","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"one"}]},{"type":"reasoning","id":"rs_1"},{"type":"message","role":"user","content":"two"}]}`, true},
		{"Responses' short form", `{"input":"one"}`, `{"input":"one","model":"x"}`, true},
		{"another first message", `{"messages":[{"role":"user","content":"one"}]}`, `{"messages":[{"role":"user","content":"two"}]}`, false},
		{"another end of a long one", `{"input":"` + long + `1"}`, `{"input":"` + long + `2"}`, false},
		{"another system prompt", `{"system":"S","messages":[{"role":"user","content":"one"}]}`, `{"system":"T","messages":[{"role":"user","content":"one"}]}`, false},
		{"other instructions", `{"instructions":"S","input":"one"}`, `{"instructions":"T","input":"one"}`, false},
		{"another developer message", `{"messages":[{"role":"developer","content":"S"},{"role":"user","content":"one"}]}`, `{"messages":[{"role":"developer","content":"T"},{"role":"user","content":"one"}]}`, false},
		{"other parts", `{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}`, `{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"c"}]}]}`, false},
	} {
		for _, kind := range []config.Affinity{config.AffinitySession, config.AffinityPromptCache} {
			a, b := affinityOf(kind, 7, test.a), affinityOf(kind, 7, test.b)
			if !a.known || !b.known || (a == b) != test.same {
				t.Errorf("%s, %s: keys %v and %v, want the same: %t", kind, test.name, a, b, test.same)
			}
			if other := affinityOf(kind, 8, test.a); other == a {
				t.Errorf("%s, %s: two API keys share the key", kind, test.name)
			}
		}
	}
}

func TestRequestsWithNothingToGoByHaveNoAffinityKey(t *testing.T) {
	for _, body := range []string{
		`{}`, `{"messages":[]}`, `{"messages":null,"input":7}`, `{"messages":[{"role":"assistant","content":"x"}]}`, `{"input":""}`,
		`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}`, `{"system":"","messages":[7,null,"x"]}`,
		`{"prompt_cache_key":"","metadata":{"user_id":""},"conversation":{"id":""}}`, `{"prompt_cache_key":7,"metadata":"x","conversation":null}`,
	} {
		for _, kind := range []config.Affinity{config.AffinitySession, config.AffinityPromptCache} {
			if got := affinityOf(kind, 7, body, "x-session-id", ""); got.known {
				t.Errorf("%s: %s has the key %v", kind, body, got)
			}
		}
	}
	if got := affinityOf(config.AffinityNone, 7, `{"prompt_cache_key":"x"}`, "x-session-id", "x"); got.known {
		t.Errorf("a group without affinity has the key %v", got)
	}
	w := newWorld(t, 2, sticky(config.AffinitySession))
	used := map[string]bool{}
	for range 4 {
		resp := w.post(paths[llm.Chat], `{"model":"m","messages":[{"role":"assistant","content":"x"}]}`)
		_ = resp.Body.Close()
		used[resp.Header.Get("X-Octopus-Channel")] = true
	}
	if !used["p1"] || !used["p2"] {
		t.Errorf("without a key the mode decides: channels %v", used)
	}
}
