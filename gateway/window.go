package gateway

import "time"

const (
	// windowStep is how exactly a window knows when something happened.
	windowStep = instant(500 * time.Millisecond)
	// windowSteps are a minute, and the step that has begun.
	windowSteps = int64(time.Minute)/int64(windowStep) + 1
)

// window sums what happened in the last minute, by monotonic time. It needs no memory per event, and therefore forgets up to
// a windowStep late, never early: no minute, wherever it begins, holds more than was let in. The zero value is empty.
type window struct {
	steps [windowSteps]int64
	sum   int64
	// last is the newest step that there is.
	last int64
}

// forget drops what is older than a minute.
func (w *window) forget(at instant) {
	step := int64(at / windowStep)
	if step-w.last >= windowSteps {
		*w = window{last: step}
		return
	}
	for w.last < step {
		w.last++
		w.sum -= w.steps[w.last%windowSteps]
		w.steps[w.last%windowSteps] = 0
	}
}

// add counts n.
func (w *window) add(at instant, n int64) {
	w.forget(at)
	w.steps[w.last%windowSteps] += n
	w.sum += n
}

// takeBack uncounts n of what add counted at the instant since, as far as that is not forgotten.
func (w *window) takeBack(at, since instant, n int64) {
	w.forget(at)
	if step := int64(since / windowStep); w.last-step < windowSteps {
		w.steps[step%windowSteps] -= n
		w.sum -= n
	}
}

// lifted returns when nothing is counted any more: zero when nothing is.
func (w *window) lifted(at instant) instant {
	w.forget(at)
	for step := w.last; step >= 0 && step > w.last-windowSteps; step-- {
		if w.steps[step%windowSteps] > 0 {
			return instant(step+windowSteps) * windowStep
		}
	}
	return 0
}

// room returns when n more are no more than limit: zero for now. More than limit at once are let in when there is nothing
// else.
func (w *window) room(at instant, limit, n int64) instant {
	w.forget(at)
	over := w.sum + min(n, limit) - limit
	if over <= 0 {
		return 0
	}
	for step := w.last - windowSteps + 1; step < w.last; step++ {
		if step >= 0 {
			over -= w.steps[step%windowSteps]
		}
		if over <= 0 {
			return instant(step+windowSteps) * windowStep
		}
	}
	return instant(w.last+windowSteps) * windowStep
}
