package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// openLoop measures t with a fixed number of requests per second, whether answers come or not: unlike in a closed loop,
// what a gateway delays it can't escape. At most conns requests run at once.
func openLoop(ctx context.Context, t *target, w *work, conns, perSecond int, duration time.Duration) (sample, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: conns, DisableCompression: true}
	defer transport.CloseIdleConnections()
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: transport, Timeout: patience}),
		vegeta.Workers(uint64(conns)), vegeta.MaxWorkers(uint64(conns)))
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()

	d := w.reference.dialect
	hit := vegeta.Target{
		Method: http.MethodPost,
		URL:    "http://" + t.address + d.path,
		Header: d.header(),
		Body:   w.body,
	}
	m, err := startMeter(t)
	if err != nil {
		return sample{}, err
	}
	var s sample
	var took []time.Duration
	pace := vegeta.Rate{Freq: perSecond, Per: time.Second}
	for answer := range attacker.Attack(vegeta.NewStaticTargeter(hit), pace, duration, "") {
		if err := checkAnswer(answer, w.reference); err != nil {
			s.fail(err)
			continue
		}
		s.Requests++
		took = append(took, answer.Latency)
	}
	if err := m.settle(ctx, &s); err != nil {
		return sample{}, err
	}
	s.Latency = newLatency(took)
	return s, ctx.Err()
}

// checkAnswer returns an error when answer is not the provider's.
func checkAnswer(answer *vegeta.Result, want *reference) error {
	switch {
	case answer.Error != "":
		return fmt.Errorf("%s: %.300s", answer.Error, answer.Body)
	case answer.Code != http.StatusOK:
		return fmt.Errorf("status %d: %.300s", answer.Code, answer.Body)
	}
	return want.whole.check(answer.Body)
}
