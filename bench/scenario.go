package main

import (
	"context"
	"fmt"
	"time"
)

// scenario is one kind of load.
type scenario struct {
	// name is a value of -scenario, title what the report calls it.
	name, title string
	// unit is what CPU time is divided by, "request" or "event". answered is what latency runs to.
	unit, answered string
	stream         bool
	// size is the length of the request's body, about.
	size int
	// script is what the provider is told to do.
	script func(o *options) string
	// goal is how many times the minimal proxy's CPU Octopus may use at most, zero for none.
	goal float64
	// paced says that streams are open at once and all measured together: memory per stream is known, and the long opening
	// does for a warm-up.
	paced   bool
	measure func(ctx context.Context, o *options, t *target, w *work) (sample, error)
}

// Sizes of the scenarios.
const (
	smallBody = 1 << 10
	largeBody = 100 << 10
	// answerText is the text of an answer that, with all around it, has about 1 KiB.
	answerText  = "size=512"
	burstTokens = 100
)

// goals of issue 2, as multiples of the minimal proxy's CPU time.
const (
	goalWhole = 1.5
	goalEvent = 1.0
)

// scenarios has the loads in the order of the report. There is one more, startName, which is no load.
var scenarios = []*scenario{
	{
		name: "closed", title: "1 KB answers, closed loop",
		unit: "request", answered: "answer", size: smallBody, goal: goalWhole,
		script: func(*options) string { return answerText },
		measure: func(ctx context.Context, o *options, t *target, w *work) (sample, error) {
			return closedLoop(ctx, t, w, o.conns, o.duration)
		},
	},
	openScenario("rate200", 200),
	openScenario("rate1000", 1000),
	{
		name: "body100k", title: "100 KB requests, 1 KB answers, closed loop",
		unit: "request", answered: "answer", size: largeBody, goal: goalWhole,
		script: func(*options) string { return answerText },
		measure: func(ctx context.Context, o *options, t *target, w *work) (sample, error) {
			return closedLoop(ctx, t, w, o.conns, o.duration)
		},
	},
	{
		name: "burst", title: fmt.Sprintf("streams of %d tokens at once, closed loop", burstTokens),
		unit: "event", answered: "whole stream", stream: true, size: smallBody, goal: goalEvent,
		script: func(*options) string { return fmt.Sprintf("tokens=%d,burst", burstTokens) },
		measure: func(ctx context.Context, o *options, t *target, w *work) (sample, error) {
			return closedLoop(ctx, t, w, o.conns, o.duration)
		},
	},
	{
		name: "paced", title: fmt.Sprintf("streams open at once, a token every %v", pacedEvery),
		unit: "event", answered: "first text", stream: true, size: smallBody, goal: goalEvent, paced: true,
		script: func(o *options) string {
			return fmt.Sprintf("tokens=%d,every=%v", pacedTokens(o.streams, o.duration), pacedEvery)
		},
		measure: func(ctx context.Context, o *options, t *target, w *work) (sample, error) {
			return pacedStreams(ctx, t, w, o.streams, o.duration)
		},
	},
}

// openScenario returns the scenario of a fixed rate of small requests.
func openScenario(name string, perSecond int) *scenario {
	return &scenario{
		name: name, title: fmt.Sprintf("1 KB answers, open loop at %d requests/s", perSecond),
		unit: "request", answered: "answer", size: smallBody,
		script: func(*options) string { return answerText },
		measure: func(ctx context.Context, o *options, t *target, w *work) (sample, error) {
			return openLoop(ctx, t, w, o.conns, perSecond, o.duration)
		},
	}
}

// units returns how many units s counts.
func (sc *scenario) units(s *sample) int64 {
	if sc.stream {
		return s.Events
	}
	return s.Requests
}

// Warm-up: enough for pools to fill and for lazy initialisation.
const (
	warmConns = 8
	warmTime  = 200 * time.Millisecond
)

// warm has every target answer for a moment, unmeasured. It returns an error when an answer is wrong.
func (sc *scenario) warm(ctx context.Context, t *target, w *work) error {
	if sc.paced {
		return nil
	}
	s, err := closedLoop(ctx, t, w, warmConns, warmTime)
	if err == nil && s.Failed > 0 {
		err = fmt.Errorf("warm-up: %s", s.Failure)
	}
	return err
}
