package admin

import (
	"net/netip"
	"slices"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
)

// RunningRequest is a request that has not finished.
type RunningRequest struct {
	// ID is the request id that the client is told, Start when its head had been read.
	ID    string
	Start time.Time
	// Protocol is what the client speaks, Stream whether it asked for a stream.
	Protocol llm.Protocol
	Stream   bool
	// Requested is the model as the client named it; Group is the group that serves it, empty for channel/model.
	Requested, Group string
	// APIKeyID and APIKeyName name the client's API key. Client is the client's address.
	APIKeyID, APIKeyName string
	Client               netip.Addr
	// Attempts counts the upstream calls so far; Channel, Key (its id) and Model are the target of the last one, empty before
	// the first.
	Attempts            int
	Channel, Key, Model string
	// Answering is whether the answer has begun.
	Answering bool
}

// running is one item of /requests.
type running struct {
	ID             string    `json:"id"`
	StartedAt      time.Time `json:"started_at"`
	AgeMS          float64   `json:"age_ms"`
	Protocol       string    `json:"protocol"`
	Stream         bool      `json:"stream"`
	RequestedModel string    `json:"requested_model"`
	Group          *string   `json:"group"`
	APIKeyID       *string   `json:"api_key_id"`
	APIKeyName     *string   `json:"api_key_name"`
	Client         *string   `json:"client"`
	Attempts       int       `json:"attempts"`
	Channel        *string   `json:"channel"`
	KeyID          *string   `json:"key_id"`
	Model          *string   `json:"model"`
	Answering      bool      `json:"answering"`
}

func runningRequests(s *Server, _ *fasthttp.RequestCtx, q query) (any, error) {
	all := s.options.Requests()
	slices.SortStableFunc(all, func(a, b RunningRequest) int { return a.Start.Compare(b.Start) })
	items := make([]running, len(all))
	for i := range all {
		r := &all[i]
		items[i] = running{
			ID: r.ID, StartedAt: moment(r.Start), AgeMS: milliseconds(time.Since(r.Start)), Protocol: r.Protocol.String(), Stream: r.Stream,
			RequestedModel: r.Requested, Group: optional(r.Group), APIKeyID: optional(r.APIKeyID), APIKeyName: optional(r.APIKeyName),
			Attempts: r.Attempts, Channel: optional(r.Channel), KeyID: optional(r.Key), Model: optional(r.Model), Answering: r.Answering,
		}
		if r.Client.IsValid() {
			items[i].Client = optional(r.Client.String())
		}
	}
	return page(items, q)
}
