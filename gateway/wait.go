package gateway

import "time"

// wait waits until the next pick is due. It returns false when until came first.
func (c *call) wait(until instant) bool {
	t := &c.tried
	due := min(t.waitUntil, c.deadline())
	for {
		at := now()
		if at >= due || c.ended() != notAbandoned {
			return true
		}
		if at >= until {
			return false
		}
		var changed <-chan struct{}
		if t.recovering {
			if changed = c.gateway.health.awaitChange(t.seen); changed == nil {
				return true
			}
		}
		c.sleep(at.until(min(due, until)), changed)
	}
}

// sleep waits for d, for changed, or until the call is abandoned.
func (c *call) sleep(d time.Duration, changed <-chan struct{}) {
	wake := make(chan struct{})
	c.mu.Lock()
	if c.abandoned != notAbandoned {
		c.mu.Unlock()
		return
	}
	c.wake = wake
	c.mu.Unlock()
	timer := time.NewTimer(d)
	select {
	case <-timer.C:
	case <-changed:
	case <-wake:
	}
	timer.Stop()
	c.mu.Lock()
	c.wake = nil
	c.mu.Unlock()
}
