package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"octopus/gateway/gatewaytest"
)

// inProcess returns the direct way and the minimal proxy in front of a provider, all of them in this process.
func inProcess(t *testing.T, d *dialect, script string) []*target {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux's /proc")
	}
	upstream := providerAddress(provider(t, gatewaytest.Options{Script: script, NoLog: true}))
	self := process(os.Getpid())
	return []*target{
		{name: direct, address: upstream, upstream: upstream, provider: self},
		{name: floor, address: floorProxy(t, upstream, d).address(), upstream: upstream, provider: self, gateway: self},
	}
}

// tiny is what tests measure with.
func tiny() *options {
	return &options{
		targets: []string{direct, floor}, dialect: findDialect("chat"), upstream: findDialect("chat"),
		rounds: 1, duration: 150 * time.Millisecond, conns: 4, streams: 10,
	}
}

// The smallest run of every kind of load, through everything but other processes.
func TestSmoke(t *testing.T) {
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			o := tiny()
			script := sc.script(o)
			if sc.paced {
				script = "tokens=16,every=40ms" // 0.6 s, where pacedTokens would have 3 s to spare
			}
			ways, err := rounds(t.Context(), o, sc, inProcess(t, o.dialect, script), t.Output())
			if err != nil {
				t.Fatal(err)
			}
			r := newReport(o)
			load := r.add(o, sc, ways)
			for i, name := range o.targets {
				one := load.Ways[i]
				if one.Target != name || one.Failed > 0 || one.PerSecond.Median <= 0 {
					t.Errorf("%s: %+v", name, one)
				}
				if l := one.Latency; l.P50 <= 0 || l.P90 < l.P50 || l.P99 < l.P90 || l.Max < l.P99 {
					t.Errorf("%s: latency %+v", name, l)
				}
				if s := one.Samples[0]; s.Elapsed < o.duration*9/10 || s.Elapsed > o.duration+patience {
					t.Errorf("%s: measured for %v instead of %v", name, s.Elapsed, o.duration)
				}
			}
			if r.failed() {
				t.Error("the report has failures")
			}
			if sc.paced && load.Ways[1].Samples[0].Requests != int64(o.streams) {
				t.Errorf("%d of %d streams were complete", load.Ways[1].Samples[0].Requests, o.streams)
			}
			if _, err := json.Marshal(r); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWrongAnswersAreCounted(t *testing.T) {
	o := tiny()
	for _, c := range []struct{ scenario, script, bad, want string }{
		{"closed", answerText, "size=513", "bytes instead of"},
		{"rate1000", answerText, "status=500", "500"},
		{"burst", "tokens=20,burst", "tokens=20,burst,noend", "without its last event"},
		{"paced", "tokens=20", "tokens=20,every=10ms,cut=5", ""},
		{"paced", "tokens=20", "tokens=20,every=5ms", "streams were still open"},
	} {
		t.Run(c.scenario, func(t *testing.T) {
			t.Parallel()
			p := provider(t, gatewaytest.Options{Script: c.script, NoLog: true})
			address := providerAddress(p)
			way := &target{name: direct, address: address, upstream: address, provider: process(os.Getpid())}
			if runtime.GOOS != "linux" {
				t.Skip("needs Linux's /proc")
			}
			var sc *scenario
			for _, one := range scenarios {
				if one.name == c.scenario {
					sc = one
				}
			}
			w, err := prepare(t.Context(), o, sc, []*target{way})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.SetScript(c.bad); err != nil {
				t.Fatal(err)
			}
			s, err := sc.measure(t.Context(), o, way, w[0])
			if err != nil {
				t.Fatal(err)
			}
			if s.Failed == 0 || !strings.Contains(s.Failure, c.want) {
				t.Errorf("%d failed, %q; want %q", s.Failed, s.Failure, c.want)
			}
			if line := sc.line(&s); !strings.Contains(line, "FAILED") {
				t.Errorf("progress says %q", line)
			}
		})
	}
}

func TestMeasuringStopsWithItsContext(t *testing.T) {
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			o := tiny()
			o.duration = time.Minute
			targets := inProcess(t, o.dialect, "tokens=10")
			w, err := prepare(t.Context(), o, sc, targets[:1])
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			started := time.Now()
			if _, err := sc.measure(ctx, o, targets[0], w[0]); err == nil && !sc.paced {
				t.Error("no error") // the paced streams were over before, which is a failed sample
			}
			if took := time.Since(started); took > 10*time.Second {
				t.Errorf("went on for %v", took)
			}
		})
	}
}

// One real run of everything, Octopus included: that it is configured, started and asked as it wants to be.
func TestRun(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux's /proc")
	}
	if testing.Short() {
		t.Skip("builds octopus")
	}
	path := filepath.Join(t.TempDir(), "out.json")
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), []string{"-scenario", "start,closed", "-rounds", "2", "-duration", "100ms", "-conns", "2",
		"-json", path}, &stdout, &stderr)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	for _, want := range []string{"\nstart: ", "\nclosed: ", "\ndirect ", "\nfasthttp ", "\noctopus "} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("no %q in the report:\n%s", want, stdout.String())
		}
	}
	if got := strings.Count(stderr.String(), ", round "); got != 8 {
		t.Errorf("%d lines of progress, want 8:\n%s", got, stderr.String())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var saved report
	if err := json.Unmarshal(text, &saved); err != nil {
		t.Fatal(err)
	}
	if len(saved.Loads) != 1 || len(saved.Loads[0].Ways) != 3 || len(saved.Start.Samples) != 2 {
		t.Fatalf("saved:\n%s", text)
	}
	if through := saved.Loads[0].Ways[2]; through.Target != octopusWay || len(through.Samples) != 2 {
		t.Errorf("saved of the third way: %+v", through)
	}
	for _, s := range saved.Start.Samples {
		if s.Ready <= 0 || s.Octopus.RSS < 1<<20 || s.Octopus.Goroutines == 0 || s.Floor.RSS < 1<<20 {
			t.Errorf("a start gave %+v", s)
		}
	}
}

func TestRunRefusesBadFlags(t *testing.T) {
	for _, args := range [][]string{
		{"-scenario", "closed,fast"},
		{"-targets", "nginx"},
		{"-protocol", "soap"},
		{"-rounds", "0"},
		{"-rounds", "51"},
		{"-duration", "-1s"},
		{"-duration", "1h"},
		{"-conns", "0"},
		{"-streams", "100000"},
		{"-nonsense"},
		{"more"},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), args, &out, &out); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
	if _, err := readOptions([]string{"-h"}, new(bytes.Buffer)); err == nil {
		t.Error("-h: no error")
	}
}

func TestFailuresMakeTheExitCode(t *testing.T) {
	r := newReport(tiny())
	sc := scenarios[0]
	good := &way{target: &target{name: direct}, samples: []sample{{Requests: 5, Elapsed: time.Second}}}
	bad := &way{target: &target{name: floor, gateway: 1}, samples: []sample{{Requests: 5, Elapsed: time.Second}, {}}}
	r.add(tiny(), sc, []*way{good})
	if r.failed() {
		t.Error("failed without a failure")
	}
	bad.samples[1].fail(errors.New("first"))
	bad.samples[1].fail(errors.New("second"))
	load := r.add(tiny(), sc, []*way{good, bad})
	if !r.failed() {
		t.Error("a failure was not noticed")
	}
	var out bytes.Buffer
	load.write(&out)
	if !strings.Contains(out.String(), "FAILED: fasthttp, 2 answers: first") {
		t.Errorf("the table hides the failures:\n%s", out.String())
	}
}
