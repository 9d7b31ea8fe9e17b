package gateway

import "time"

// wait waits for something to come on ready, at most until an instant and not for a call that was abandoned. It reports
// whether something came.
func (c *call) wait(ready <-chan struct{}, until instant) bool {
	gone := make(chan struct{})
	c.mu.Lock()
	if c.abandoned != notAbandoned {
		c.mu.Unlock()
		return false
	}
	c.gone = gone
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.gone = nil
		c.mu.Unlock()
	}()
	timer := time.NewTimer(now().until(until))
	defer timer.Stop()
	select {
	case <-ready:
		return true
	case <-gone:
	case <-timer.C:
	}
	return false
}
