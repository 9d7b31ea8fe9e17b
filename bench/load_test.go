package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestReportComparesRoundByRound(t *testing.T) {
	o := tiny()
	o.rounds, o.streams = 3, 100
	cpu := func(microseconds ...int) (samples []sample) {
		for _, us := range microseconds {
			samples = append(samples, sample{
				Events: 1000, Elapsed: 2 * time.Second,
				GatewayCPU: time.Duration(us) * 1000 * time.Microsecond, ProviderCPU: 4 * time.Millisecond,
				Held: holding{RSS: 30 << 20, PSS: 20 << 20, Descriptors: 12},
			})
		}
		return samples
	}
	var paced *scenario
	for _, sc := range scenarios {
		if sc.paced {
			paced = sc
		}
	}
	idle := memory{RSS: 25 << 20}
	load := newReport(o).add(o, paced, []*way{
		{target: &target{name: direct}, samples: cpu(0, 0, 0)},
		{target: &target{name: floor, gateway: 1, idle: idle}, samples: cpu(10, 20, 40)},
		{target: &target{name: octopusWay, gateway: 2, idle: idle}, samples: cpu(11, 40, 48)},
	})
	direct, floor, through := load.Ways[0], load.Ways[1], load.Ways[2]
	if direct.CPU != nil || direct.TimesFloor != nil || direct.RSS != nil || direct.PerStream != nil {
		t.Errorf("the direct way has a gateway: %+v", direct)
	}
	if got, want := *floor.TimesFloor, (spread{1, 1, 1}); got != want {
		t.Errorf("the floor beside itself: got %v, want %v", got, want)
	}
	if got, want := *through.CPU, (spread{40, 11, 48}); got != want {
		t.Errorf("CPU: got %v, want %v", got, want)
	}
	// By round 1.1, 2 and 1.2: not 40 / 20, which the medians alone would say.
	if got := *through.TimesFloor; got.Median != 1.2 || got.Max != 2 {
		t.Errorf("× floor: got %v, want 1.2", got)
	}
	if got := through.PerSecond.Median; got != 500 {
		t.Errorf("got %v events/s, want 500", got)
	}
	if got := through.PerStream.Median; got != 5*1024/100. {
		t.Errorf("got %v KiB per stream, want 51.2", got)
	}
	var out bytes.Buffer
	load.write(&out)
	for _, want := range []string{"40.0 (11.0–48.0)", "1.20 (1.10–2.00)", "51.2",
		"at most 1.00 × fasthttp; measured 1.20 ×"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}
