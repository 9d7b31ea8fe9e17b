package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// target is one way from the client to the provider.
type target struct {
	name    string
	address string
	// gateway is the process in between, zero when there is none.
	gateway process
	// provider is the process that answers in the end, upstream its address.
	provider process
	upstream string
	// admin is where Octopus shows its metrics, empty for the others.
	admin string
	// ready is how long Octopus took to be ready, idle what the gateway held before its first request.
	ready time.Duration
	idle  memory
}

// sample is what one measurement of one target gave. Durations are nanoseconds in JSON, sizes bytes.
type sample struct {
	// Requests counts complete answers, Events the events in them; a paced sample counts those events alone that came
	// while it was measured.
	Requests int64 `json:"requests"`
	Events   int64 `json:"events,omitempty"`
	// Elapsed is how long it was measured.
	Elapsed time.Duration `json:"elapsed"`
	// GatewayCPU and ProviderCPU are the CPU times that the two processes used meanwhile.
	GatewayCPU  time.Duration `json:"gateway_cpu,omitempty"`
	ProviderCPU time.Duration `json:"provider_cpu"`
	Latency     latency       `json:"latency"`
	// Held is what the gateway held during the load (paced) or right behind it.
	Held holding `json:"gateway_held,omitzero"`
	// Failed counts answers that were incomplete, wrong or none; Failure is about the first of them.
	Failed  int64  `json:"failed"`
	Failure string `json:"failure,omitempty"`
}

// holding is what a process holds at one moment.
type holding struct {
	RSS int64 `json:"rss"`
	PSS int64 `json:"pss"`
	// Descriptors counts open files and sockets.
	Descriptors int `json:"descriptors"`
	// Goroutines is zero where the process doesn't tell.
	Goroutines int `json:"goroutines,omitempty"`
}

// fail notes a failure.
func (s *sample) fail(err error) {
	if s.Failed++; s.Failed == 1 {
		s.Failure = err.Error()
	}
}

// meter reads CPU times at the beginning and at the end of a measurement.
type meter struct {
	target            *target
	started           time.Time
	gateway, provider time.Duration
}

// startMeter begins a measurement of t.
func startMeter(t *target) (*meter, error) {
	m := &meter{target: t}
	var err error
	m.gateway, m.provider, err = m.read()
	m.started = time.Now()
	return m, err
}

func (m *meter) read() (gateway, provider time.Duration, err error) {
	if m.target.gateway != 0 {
		if gateway, err = m.target.gateway.cpuTime(); err != nil {
			return 0, 0, fmt.Errorf("%s: %w", m.target.name, err)
		}
	}
	if provider, err = m.target.provider.cpuTime(); err != nil {
		return 0, 0, fmt.Errorf("provider: %w", err)
	}
	return gateway, provider, nil
}

// stop ends the measurement and fills in the CPU times.
func (m *meter) stop(s *sample) error {
	gateway, provider, err := m.read()
	s.GatewayCPU, s.ProviderCPU = gateway-m.gateway, provider-m.provider
	return err
}

// settleTime is how long a gateway is given after its last answer for what it does behind the answers, which so counts
// as well.
const settleTime = 100 * time.Millisecond

// settle waits for settleTime and then ends the measurement. Where there is a gateway it notes what that holds.
func (m *meter) settle(ctx context.Context, s *sample) error {
	s.Elapsed = time.Since(m.started)
	if err := pause(ctx, settleTime); err != nil {
		return err
	}
	if err := m.stop(s); err != nil {
		return err
	}
	return m.target.hold(ctx, s)
}

// hold notes what the gateway of t holds now, if there is one.
func (t *target) hold(ctx context.Context, s *sample) error {
	if t.gateway == 0 {
		return nil
	}
	var err error
	s.Held, err = holds(ctx, t.gateway, t.admin)
	return err
}

// holds returns what p holds now. admin is where it shows its metrics, or empty.
func holds(ctx context.Context, p process, admin string) (holding, error) {
	m, memoryErr := p.memory()
	descriptors, descriptorsErr := p.descriptors()
	h := holding{RSS: m.RSS, PSS: m.PSS, Descriptors: descriptors}
	var goroutinesErr error
	if admin != "" {
		h.Goroutines, goroutinesErr = goroutines(ctx, admin)
	}
	return h, errors.Join(memoryErr, descriptorsErr, goroutinesErr)
}

// pause waits, and returns ctx's error if that ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
