package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// way is what one target gave, one sample per round.
type way struct {
	target  *target
	samples []sample
}

// measure runs one scenario: each round measures each target once, one behind the other, so that what the machine does
// besides hits all alike. It writes a line per measurement to progress.
func measure(ctx context.Context, o *options, sc *scenario, progress io.Writer) ([]*way, error) {
	s, err := openStage(ctx, o, sc.script(o))
	if err != nil {
		return nil, err
	}
	defer s.close()
	return rounds(ctx, o, sc, s.targets, progress)
}

// rounds is measure for targets that run already.
func rounds(ctx context.Context, o *options, sc *scenario, targets []*target, progress io.Writer) ([]*way, error) {
	w, err := prepare(ctx, o.dialect, sc, targets)
	if err != nil {
		return nil, err
	}
	var ways []*way
	for _, t := range targets {
		ways = append(ways, &way{target: t})
	}
	for round := range o.rounds {
		for _, one := range ways {
			sample, err := sc.measure(ctx, o, one.target, w)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", sc.name, one.target.name, err)
			}
			one.samples = append(one.samples, sample)
			fmt.Fprintf(progress, "%s, round %d of %d, %s: %s\n", sc.name, round+1, o.rounds, one.target.name, sc.line(&sample))
		}
	}
	return ways, nil
}

// prepare learns what the answers must be, and has every target answer.
func prepare(ctx context.Context, d *dialect, sc *scenario, targets []*target) (*work, error) {
	w := &work{stream: sc.stream, body: d.requestBody(sc.stream, sc.size)}
	w.request = d.request(w.body, "")
	var err error
	if w.reference, err = learn(ctx, d, targets[0].upstream, sc.size); err != nil {
		return nil, fmt.Errorf("%s: %w", sc.name, err)
	}
	for _, t := range targets {
		if err := sc.warm(ctx, t, w); err != nil {
			return nil, fmt.Errorf("%s, %s: %w", sc.name, t.name, err)
		}
	}
	return w, nil
}

// line says in short what a sample gave.
func (sc *scenario) line(s *sample) string {
	units := sc.units(s)
	text := fmt.Sprintf("%d %ss in %v", units, sc.unit, s.Elapsed.Round(time.Millisecond))
	if s.GatewayCPU > 0 && units > 0 {
		text += fmt.Sprintf(", %.1f µs CPU each", perUnit(s.GatewayCPU, units))
	}
	if s.Failed > 0 {
		text += fmt.Sprintf(", %d FAILED: %s", s.Failed, s.Failure)
	}
	return text
}

// perUnit returns microseconds per unit, zero when there is no unit.
func perUnit(d time.Duration, units int64) float64 {
	return quotient(float64(d)/float64(time.Microsecond), float64(units))
}

// quotient returns a divided by b, zero when b is.
func quotient(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
