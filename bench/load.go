package main

import (
	"fmt"
	"io"
	"time"
)

// loadReport is what one load gave.
type loadReport struct {
	Scenario string       `json:"scenario"`
	Title    string       `json:"title"`
	Unit     string       `json:"unit"`
	Answered string       `json:"latency_until"`
	Goal     float64      `json:"goal_times_fasthttp,omitempty"`
	Ways     []*wayReport `json:"ways"`
}

// wayReport is what one target gave. CPU times are microseconds per unit.
type wayReport struct {
	Target    string `json:"target"`
	PerSecond spread `json:"per_second"`
	// CPU and TimesFloor are nil for the direct way; TimesFloor compares with the minimal proxy's sample of the same round.
	CPU         *spread `json:"gateway_cpu_us,omitempty"`
	TimesFloor  *spread `json:"times_fasthttp,omitempty"`
	ProviderCPU spread  `json:"provider_cpu_us"`
	// Latencies are medians over the rounds.
	Latency latency `json:"latency"`
	// RSS and PSS are in MiB, PerStream in KiB beyond the idle process, per open stream.
	RSS       *spread `json:"gateway_rss_mib,omitempty"`
	PSS       *spread `json:"gateway_pss_mib,omitempty"`
	PerStream *spread `json:"kib_per_stream,omitempty"`
	// Failed counts failed answers, Failure is about one of them.
	Failed  int64    `json:"failed"`
	Failure string   `json:"failure,omitempty"`
	Samples []sample `json:"samples"`
}

// add adds and returns what a load gave.
func (r *report) add(o *options, sc *scenario, ways []*way) *loadReport {
	load := &loadReport{Scenario: sc.name, Title: sc.title, Unit: sc.unit, Answered: sc.answered, Goal: sc.goal}
	var floorCPU []float64
	for _, one := range ways {
		if one.target.name == floor {
			floorCPU = one.over(func(s *sample) float64 { return perUnit(s.GatewayCPU, sc.units(s)) })
		}
	}
	for _, one := range ways {
		load.Ways = append(load.Ways, one.report(o, sc, floorCPU))
	}
	r.Loads = append(r.Loads, load)
	return load
}

// over returns a figure of every sample.
func (w *way) over(value func(*sample) float64) []float64 {
	values := make([]float64, len(w.samples))
	for i := range w.samples {
		values[i] = value(&w.samples[i])
	}
	return values
}

// report sums up the samples. floorCPU has the minimal proxy's CPU time per unit by round, or is nil.
func (w *way) report(o *options, sc *scenario, floorCPU []float64) *wayReport {
	middle := func(of func(*latency) time.Duration) time.Duration {
		return time.Duration(newSpread(w.over(func(s *sample) float64 { return float64(of(&s.Latency)) })).Median)
	}
	r := &wayReport{
		Target:      w.target.name,
		PerSecond:   newSpread(w.over(func(s *sample) float64 { return quotient(float64(sc.units(s)), s.Elapsed.Seconds()) })),
		ProviderCPU: newSpread(w.over(func(s *sample) float64 { return perUnit(s.ProviderCPU, sc.units(s)) })),
		Latency: latency{
			P50: middle(func(l *latency) time.Duration { return l.P50 }),
			P90: middle(func(l *latency) time.Duration { return l.P90 }),
			P99: middle(func(l *latency) time.Duration { return l.P99 }),
			Max: middle(func(l *latency) time.Duration { return l.Max }),
		},
		Samples: w.samples,
	}
	for _, s := range w.samples {
		if r.Failed += s.Failed; r.Failure == "" {
			r.Failure = s.Failure
		}
	}
	if w.target.gateway == 0 {
		return r
	}
	cpu := w.over(func(s *sample) float64 { return perUnit(s.GatewayCPU, sc.units(s)) })
	r.CPU = measured(cpu)
	if floorCPU != nil {
		times := make([]float64, len(cpu))
		for i := range times {
			times[i] = quotient(cpu[i], floorCPU[i])
		}
		r.TimesFloor = measured(times)
	}
	r.RSS = measured(w.over(func(s *sample) float64 { return mebibytes(s.Held.RSS) }))
	r.PSS = measured(w.over(func(s *sample) float64 { return mebibytes(s.Held.PSS) }))
	if sc.paced {
		r.PerStream = measured(w.over(func(s *sample) float64 {
			return float64(s.Held.RSS-w.target.idle.RSS) / (1 << 10) / float64(o.streams)
		}))
	}
	return r
}

// write writes two tables: what the load cost, and what the gateways held. Figures of a way with failures mean nothing, so
// that its goal is not spoken of.
func (load *loadReport) write(out io.Writer) {
	speed := []string{"", load.Unit + "s/s", "gateway CPU µs/" + load.Unit, "× " + floor, "provider µs",
		"ms to " + load.Answered + ": p50", "p90", "p99", "max"}
	held := []string{"", "RSS MiB", "PSS MiB", "KiB per stream", "fds", "goroutines"}
	var speeds, holdings [][]string
	for _, one := range load.Ways {
		l := &one.Latency
		speeds = append(speeds, []string{one.Target, fmt.Sprintf("%.0f", one.PerSecond.Median), one.CPU.text(1),
			one.TimesFloor.text(2), one.ProviderCPU.text(1), milliText(l.P50), milliText(l.P90), milliText(l.P99), milliText(l.Max)})
		if one.RSS != nil {
			last := &one.Samples[len(one.Samples)-1].Held
			holdings = append(holdings, []string{one.Target, one.RSS.text(1), one.PSS.text(1), one.PerStream.text(1),
				count(last.Descriptors), count(last.Goroutines)})
		}
	}
	fmt.Fprintf(out, "\n%s: %s\n", load.Scenario, load.Title)
	writeTable(out, speed, speeds)
	if len(holdings) > 0 {
		fmt.Fprintln(out)
		writeTable(out, held, holdings)
	}
	for _, one := range load.Ways {
		switch {
		case one.Failed > 0:
			fmt.Fprintf(out, "FAILED: %s, %d answers: %s\n", one.Target, one.Failed, one.Failure)
		case one.Target == octopusWay && load.Goal > 0 && one.TimesFloor != nil:
			fmt.Fprintf(out, "goal of issue 2: at most %.2f × %s; measured %.2f ×\n", load.Goal, floor, one.TimesFloor.Median)
		}
	}
}
