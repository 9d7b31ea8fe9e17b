package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"octopus/gateway/gatewaytest"
)

// scene is what a row of faults.md sets up: a group and its targets. Each way to ask plays it with a group and channels of
// its own, so that what one does to its targets' health is no other's business.
type scene struct {
	// name tells the scenes of a row apart.
	name string
	// group is what the group's entry says beside its members; "mode: failover" when empty.
	group string
	// policy overrides fields of the short profile, such as "commit: complete".
	policy string
	// script is the directives of all targets.
	script string
	// targets are the members, in the order of their priority, at the providers north, south and west.
	targets []target
	// skip leaves out ways to ask; nil leaves out none.
	skip func(p *protocol, stream bool) bool
}

// target is a member of a scene's group.
type target struct {
	// faults is the directives of the channel's only key. Another key is written with faults of its own in keys.
	faults string
	keys   []string
	// model is the beginning of the upstream's name for the model; "m" when empty. Equal ones are equal models.
	model string
}

// broken returns targets with these faults, one each.
func broken(faults ...string) []target {
	targets := make([]target, len(faults))
	for i := range faults {
		targets[i].faults = faults[i]
	}
	return targets
}

// wholesOnly and streamsOnly are values of scene.skip.
func wholesOnly(_ *protocol, stream bool) bool  { return stream }
func streamsOnly(_ *protocol, stream bool) bool { return !stream }

// trial is a scene for one way to ask.
type trial struct {
	*gateway
	*scene
	p      *protocol
	stream bool
	// id names the group, and is part of the names of its channels and of their keys.
	id string
}

// places are the names that channels begin with, in the order of gateway.providers.
var places = []string{"north", "south", "west"}

// stage is a running octopus with scenes to play.
type stage struct {
	*gateway
	trials []*trial
}

// startStage runs octopus for scenes. Their channels speak the protocol that upstream names, or all when it is empty.
func startStage(t *testing.T, upstream string, scenes ...scene) *stage {
	t.Helper()
	return startStageWith(t, upstream, map[string]string{}, scenes)
}

// startStageWith is startStage with more entries of sections.
func startStageWith(t *testing.T, upstream string, more map[string]string, scenes []scene) *stage {
	t.Helper()
	s := &stage{}
	for i := range scenes {
		for j := range protocols {
			for _, stream := range []bool{true, false} {
				if skip := scenes[i].skip; skip != nil && skip(&protocols[j], stream) {
					continue
				}
				way := "whole"
				if stream {
					way = "stream"
				}
				id := strings.Trim(scenes[i].name+"-"+protocols[j].name+"-"+way, "-")
				s.trials = append(s.trials, &trial{scene: &scenes[i], p: &protocols[j], stream: stream, id: id})
			}
		}
	}
	providers := []*gatewaytest.Provider{startProvider(t), startProvider(t), startProvider(t)}
	for _, x := range s.trials {
		x.declare(more, providers, upstream)
	}
	s.gateway = startGatewayAt(t, providers, more)
	for _, x := range s.trials {
		x.gateway = s.gateway
	}
	return s
}

// declare adds the trial's channels and group to the sections of a declarative file.
func (x *trial) declare(sections map[string]string, providers []*gatewaytest.Provider, upstream string) {
	var members []string
	for i, target := range x.targets {
		keys := target.keys
		if keys == nil {
			keys = []string{target.faults}
		}
		var quoted []string
		for k, faults := range keys {
			key := fmt.Sprintf("%s.%d", x.channel(i), k)
			if faults != "" {
				key += "!" + faults
			}
			quoted = append(quoted, fmt.Sprintf("%q", key))
		}
		sections["channels"] += channelWith(x.channel(i), providers[i], upstream, strings.Join(quoted, ", "))
		members = append(members, fmt.Sprintf("{channel: %s, model: %q, priority: %d}", x.channel(i), x.model(i), i+1))
	}
	line := x.group
	if line == "" {
		line = "mode: failover"
	}
	sections["groups"] += group(x.id, line+"\n    policy: {"+x.profile()+"}", members...)
}

// profile returns the policy: the short profile of faults.md, and what the scene overrides.
func (x *trial) profile() string {
	policy := x.policy
	for _, field := range []string{"first_token_timeout: 1s", "answer_timeout: 1s", "idle_timeout: 1s", "deadline: 20s",
		"cooldown: {base: 500ms, max: 2s}"} {
		if name, _, _ := strings.Cut(field, " "); !strings.Contains(policy, name) {
			policy = strings.TrimPrefix(policy+", "+field, ", ")
		}
	}
	return policy
}

// model returns the upstream model of the i-th target, with its directives. It is the trial's own, for the provider counts
// what strikes some times by it.
func (x *trial) model(i int) string {
	name := x.targets[i].model
	if name == "" {
		name = "m"
	}
	return strings.TrimSuffix(name+"-"+x.id+"!"+x.script, "!")
}

// channel returns the name of the channel of the i-th target.
func (x *trial) channel(i int) string { return places[i] + "-" + x.id }

// play runs all trials at once, each as a subtest.
func (s *stage) play(t *testing.T, one func(t *testing.T, x *trial)) {
	t.Helper()
	var running sync.WaitGroup
	for _, x := range s.trials {
		running.Go(func() { t.Run(x.id, func(t *testing.T) { one(t, x) }) })
	}
	running.Wait()
}

// timed is an answer and how long it took.
type timed struct {
	answer
	took time.Duration
}

// ask asks the trial's group and reads the answer to its end.
func (x *trial) ask(t *testing.T) timed {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return x.askAs(ctx, x.stream)
}

func (x *trial) askAs(ctx context.Context, stream bool) timed {
	begun := time.Now()
	got := x.post(ctx, x.p, x.p.body(x.id, stream))
	return timed{got, time.Since(begun)}
}

// tries returns what the provider of the i-th target saw of this trial.
func (x *trial) tries(i int) []gatewaytest.Exchange {
	var own []gatewaytest.Exchange
	for _, e := range x.providers()[i].Requests() {
		if strings.HasPrefix(e.Credential, x.channel(i)+".") {
			own = append(own, e)
		}
	}
	return own
}

// checkTries checks how often each target was tried.
func (x *trial) checkTries(t *testing.T, want ...int) {
	t.Helper()
	for i, want := range want {
		if got := len(x.tries(i)); got != want {
			t.Errorf("%s was tried %d times, want %d", x.channel(i), got, want)
		}
	}
}

// checkServed checks that an answer is whole and the i-th target's, after so many attempts, or any number when that is 0.
func (x *trial) checkServed(t *testing.T, got timed, i, attempts int) {
	t.Helper()
	if !x.checkWhole(t, got) {
		return
	}
	channel, tried := got.header.Get("X-Octopus-Channel"), got.header.Get("X-Octopus-Attempts")
	if channel != x.channel(i) || attempts > 0 && tried != fmt.Sprint(attempts) {
		t.Errorf("answered by %q after %q attempts, want %q after %d", channel, tried, x.channel(i), attempts)
	}
}

// checkWhole checks that an answer is complete and has the text that the provider sends without a fault.
func (x *trial) checkWhole(t *testing.T, got timed) bool {
	t.Helper()
	body := got.body
	if x.stream {
		body = respelled(body)
	}
	if lacks := x.p.lacks(body, x.stream); got.err != nil || got.status != 200 || lacks != "" {
		t.Errorf("after %v: %d %v … %s, want 200 and %q", got.took, got.status, got.err, tail(got.body), lacks)
		return false
	}
	if text, want := textOf(body, x.stream), x.text(t); text != want {
		t.Errorf("text %.200q, want %.200q", text, want)
		return false
	}
	return true
}

// text returns what a provider says to the trial's question, asked without the gateway.
func (x *trial) text(t *testing.T) string {
	t.Helper()
	return spoken(t, x.west, x.p, x.p.body("m!"+x.words(), false))
}

// words returns the directives of the trial that say how much text an answer has.
func (x *trial) words() string {
	var words []string
	for _, directive := range strings.Split(x.script, ",") {
		if name, _, _ := strings.Cut(directive, "="); name == "tokens" || name == "size" || name == "bigevent" {
			words = append(words, directive)
		}
	}
	return strings.Join(words, ",")
}

// spoken returns what a provider says to a request, asked without the gateway. The answer must be a whole one.
func spoken(t *testing.T, provider *gatewaytest.Provider, p *protocol, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(patient(t), "POST", provider.Origin()+p.path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer direct")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answered, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("asked directly: %d %v", response.StatusCode, err)
	}
	text := textOf(string(answered), false)
	if text == "" {
		t.Fatalf("asked directly: no text in %.200s", answered)
	}
	return text
}

// checkBroken checks that an answer is a stream with an error in the protocol's way after a beginning of the text of at
// least so many bytes, and nothing that looks like a good end.
func (x *trial) checkBroken(t *testing.T, got timed, least int) {
	t.Helper()
	if got.err != nil || got.status != 200 || !strings.Contains(got.body, x.p.failed) {
		t.Errorf("after %v: %v %.300s, want 200 and %q", got.took, got, tail(got.body), x.p.failed)
	}
	if x.p.name != "chat" && strings.Contains(got.body, x.p.end) {
		t.Errorf("a broken stream ends with %q", x.p.end)
	}
	if strings.Contains(got.body, `"finish_reason":"stop"`) {
		t.Error("a broken stream has a finish_reason")
	}
	text, want := textOf(got.body, true), x.text(t)
	if !strings.HasPrefix(want, text) || len(text) < least || len(text) >= len(want) {
		t.Errorf("text %q, want the beginning of %q", text, want)
	}
}

// tail returns the end of a long text.
func tail(text string) string { return text[max(0, len(text)-300):] }

// attempts returns how many attempts on the trial's channels ended in each class.
func (x *trial) attempts(t *testing.T, i int, class string) float64 {
	t.Helper()
	return x.metrics(t)[series("octopus_attempts_total", "channel", x.channel(i), "class", class)]
}

// between checks that a duration is inside bounds.
func between(t *testing.T, what string, got, least, most time.Duration) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s took %v, want %v to %v", what, got, least, most)
	}
}

// tick waits between two looks, or two requests of one client.
func tick(t *testing.T, pause time.Duration) {
	t.Helper()
	select {
	case <-time.After(pause):
	case <-t.Context().Done():
	}
}

// settle waits until the provider has ended every exchange, which is a moment behind the answer, and returns its log.
func settle(t *testing.T, p *gatewaytest.Provider) []gatewaytest.Exchange {
	t.Helper()
	log, err := p.Wait(patient(t), func(log []gatewaytest.Exchange) bool {
		return !slices.ContainsFunc(log, func(e gatewaytest.Exchange) bool { return e.End == gatewaytest.EndRunning })
	})
	if err != nil {
		t.Errorf("exchanges do not end: %v", err)
	}
	return log
}

// checkTokens checks that what is counted is what the answers that were sent to their end report.
func (s *stage) checkTokens(t *testing.T) {
	t.Helper()
	want := map[string]int64{"input": 0, "output": 0}
	for _, p := range s.providers() {
		for _, e := range settle(t, p) {
			// Those asked directly don't count, and one that ends with an error is none.
			credential := e.Header.Get("Authorization") + e.Header.Get("X-Api-Key")
			if e.Status == 200 && e.End == gatewaytest.EndComplete && e.Credential != "direct" &&
				!strings.Contains(credential, "errorevent") {
				want["input"] += e.Usage.Input
				want["output"] += e.Usage.Output
			}
		}
	}
	got := s.settledMetrics(t)
	for kind, n := range want {
		if name := series("octopus_tokens_total", "kind", kind); got[name] != float64(n) {
			t.Errorf("%s is %v, want %d", name, got[name], n)
		}
	}
}
