package gateway

import "time"

// instant is a point in monotonic time: nanoseconds since the process started. Zero means never.
type instant int64

// never is later than any timer: a year.
const never = instant(365 * 24 * time.Hour)

var epoch = time.Now()

// now returns the current instant; it is never zero.
func now() instant { return instant(time.Since(epoch)) + 1 }

// time returns the instant as a time with a monotonic reading, as deadlines want it.
func (i instant) time() time.Time { return epoch.Add(time.Duration(i)) }

// after returns the instant d later, or never when d is zero: timers that are off are written as zero.
func (i instant) after(d time.Duration) instant {
	if d == 0 {
		return never
	}
	return i + instant(d)
}

// until returns the time from i to later.
func (i instant) until(later instant) time.Duration { return time.Duration(later - i) }
