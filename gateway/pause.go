package gateway

// pause waits until the next pick is due. It returns false when until came first.
func (c *call) pause(until instant) bool {
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
		c.wait(changed, min(due, until))
	}
}
