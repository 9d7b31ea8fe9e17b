package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// startSample is one start of the gateways, and what they hold when nothing happens.
type startSample struct {
	// Ready is the time from Octopus's start to its answer that it is ready.
	Ready time.Duration `json:"octopus_ready,omitempty"`
	// Octopus and Floor are what the two hold at idleTime after that, before any request.
	Octopus holding `json:"octopus,omitzero"`
	Floor   holding `json:"fasthttp,omitzero"`
}

// measureStart starts the gateways of o once per round.
func measureStart(ctx context.Context, o *options, progress io.Writer) ([]startSample, error) {
	var samples []startSample
	for round := range o.rounds {
		s, err := startOnce(ctx, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", startName, err)
		}
		samples = append(samples, s)
		fmt.Fprintf(progress, "%s, round %d of %d: ready after %.1f ms\n", startName, round+1, o.rounds, milliseconds(s.Ready))
	}
	return samples, nil
}

func startOnce(ctx context.Context, o *options) (startSample, error) {
	s, err := openStage(ctx, o, "")
	if err != nil {
		return startSample{}, err
	}
	defer s.close()
	var one startSample
	for _, t := range s.targets {
		switch t.name {
		case floor:
			one.Floor, err = holds(ctx, t.gateway, "")
		case octopusWay:
			one.Ready = t.ready
			one.Octopus, err = holds(ctx, t.gateway, t.admin)
		}
		if err != nil {
			return startSample{}, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return one, nil
}

// startReport is what starting gave.
type startReport struct {
	// ReadyMS is of Octopus, in milliseconds; the sizes are in MiB. A way that was not measured is nil.
	ReadyMS    *spread       `json:"octopus_ready_ms,omitempty"`
	OctopusRSS *spread       `json:"octopus_rss_mib,omitempty"`
	OctopusPSS *spread       `json:"octopus_pss_mib,omitempty"`
	FloorRSS   *spread       `json:"fasthttp_rss_mib,omitempty"`
	FloorPSS   *spread       `json:"fasthttp_pss_mib,omitempty"`
	Samples    []startSample `json:"samples"`
}

// addStart adds and returns what starting gave.
func (r *report) addStart(samples []startSample) *startReport {
	over := func(value func(*startSample) float64) *spread {
		values := make([]float64, len(samples))
		for i := range samples {
			values[i] = value(&samples[i])
		}
		return measured(values)
	}
	r.Start = &startReport{
		ReadyMS:    over(func(s *startSample) float64 { return milliseconds(s.Ready) }),
		OctopusRSS: over(func(s *startSample) float64 { return mebibytes(s.Octopus.RSS) }),
		OctopusPSS: over(func(s *startSample) float64 { return mebibytes(s.Octopus.PSS) }),
		FloorRSS:   over(func(s *startSample) float64 { return mebibytes(s.Floor.RSS) }),
		FloorPSS:   over(func(s *startSample) float64 { return mebibytes(s.Floor.PSS) }),
		Samples:    samples,
	}
	return r.Start
}

// readyGoal is issue 2's goal for the time from the start to ready.
const readyGoal = 200 * time.Millisecond

// write writes a table.
func (s *startReport) write(out io.Writer) {
	last := &s.Samples[len(s.Samples)-1]
	fmt.Fprintf(out, "\n%s: ready, and idle\n", startName)
	writeTable(out, []string{"", "ready ms", "RSS MiB", "PSS MiB", "fds", "goroutines"}, [][]string{
		{floor, absent, s.FloorRSS.text(1), s.FloorPSS.text(1), count(last.Floor.Descriptors), absent},
		{octopusWay, s.ReadyMS.text(1), s.OctopusRSS.text(1), s.OctopusPSS.text(1), count(last.Octopus.Descriptors),
			count(last.Octopus.Goroutines)},
	})
	if s.ReadyMS != nil {
		fmt.Fprintf(out, "goal of issue 2: ready in less than %v; measured %.0f ms\n", readyGoal, s.ReadyMS.Median)
	}
}
