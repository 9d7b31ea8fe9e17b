package admin

import (
	"time"

	"github.com/valyala/fasthttp"

	"octopus/gateway/outcome"
)

// TargetHealth is how a target fares.
type TargetHealth struct {
	// ChannelID and Channel, KeyID and Key name the channel and its key by id and name. KeyID is empty for channels that need
	// no key. Model is the upstream's name.
	ChannelID, Channel, KeyID, Key, Model string
	// State is sound, out, probing or returning.
	State string
	// InFlight is how many attempts run.
	InFlight int64
	// CoolingUntil is when a request may be let through again, zero for a target that is not out. Why is why it is out.
	CoolingUntil time.Time
	Why          outcome.Class
	// LastError is the last failure, ClassNone for none, and LastErrorAt when it was.
	LastError   outcome.Class
	LastErrorAt time.Time
	// Latency is about how long the first token takes, zero when that is not known.
	Latency time.Duration
}

// target is one item of /health.
type target struct {
	ChannelID    string     `json:"channel_id"`
	Channel      string     `json:"channel"`
	KeyID        *string    `json:"key_id"`
	Key          *string    `json:"key"`
	Model        string     `json:"model"`
	State        string     `json:"state"`
	InFlight     int64      `json:"in_flight"`
	CoolingUntil *time.Time `json:"cooling_until"`
	// CoolingWhy is the class of the failure that the target is out for.
	CoolingWhy *string    `json:"cooling_why"`
	LastError  *lastError `json:"last_error"`
	LatencyMS  *float64   `json:"latency_ms"`
}

// lastError is the last failure of a target.
type lastError struct {
	Class string     `json:"class"`
	At    *time.Time `json:"at"`
}

func targets(s *Server, _ *fasthttp.RequestCtx, q query) (any, error) {
	all := s.options.Health()
	items := make([]target, len(all))
	for i := range all {
		t := &all[i]
		items[i] = target{
			ChannelID: t.ChannelID, Channel: t.Channel, KeyID: optional(t.KeyID), Key: optional(t.Key), Model: t.Model, State: t.State,
			InFlight: t.InFlight, CoolingUntil: optionalMoment(t.CoolingUntil), LatencyMS: optionalMilliseconds(t.Latency),
		}
		if t.Why != outcome.ClassNone {
			items[i].CoolingWhy = optional(t.Why.String())
		}
		if t.LastError != outcome.ClassNone {
			items[i].LastError = &lastError{t.LastError.String(), optionalMoment(t.LastErrorAt)}
		}
	}
	return page(items, q)
}
