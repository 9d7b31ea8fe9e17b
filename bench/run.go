package main

import (
	"bytes"
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
	work, err := prepare(ctx, o, sc, targets)
	if err != nil {
		return nil, err
	}
	var ways []*way
	for _, t := range targets {
		ways = append(ways, &way{target: t})
	}
	for round := range o.rounds {
		for i, one := range ways {
			sample, err := sc.measure(ctx, o, one.target, work[i])
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", sc.name, one.target.name, err)
			}
			one.samples = append(one.samples, sample)
			fmt.Fprintf(progress, "%s, round %d of %d, %s: %s\n", sc.name, round+1, o.rounds, one.target.name, sc.line(&sample))
		}
	}
	return ways, nil
}

// prepare learns what the answers of each target must be, and has every target answer. Where Octopus converts, the bytes are
// its own: its first answer is the measure of the others, and must have the provider's text.
func prepare(ctx context.Context, o *options, sc *scenario, targets []*target) ([]*work, error) {
	d := o.dialect
	provider, err := learn(ctx, d, targets[0].upstream, sc.size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sc.name, err)
	}
	all := make([]*work, len(targets))
	for i, t := range targets {
		w := &work{stream: sc.stream, body: d.requestBody(sc.stream, sc.size), reference: provider}
		w.request = d.request(w.body, "")
		if t.name == octopusWay && o.upstream != d {
			if w.reference, err = learn(ctx, d, t.address, sc.size); err != nil {
				return nil, fmt.Errorf("%s, converted: %w", sc.name, err)
			}
			if !bytes.Equal(w.reference.text, provider.text) {
				return nil, fmt.Errorf("%s, converted: the text is %q instead of %q", sc.name, w.reference.text, provider.text)
			}
		}
		if err := sc.warm(ctx, t, w); err != nil {
			return nil, fmt.Errorf("%s, %s: %w", sc.name, t.name, err)
		}
		all[i] = w
	}
	return all, nil
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
