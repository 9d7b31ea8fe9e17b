package admin

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"octopus/admin/requestlog"
	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// row is one finished request. Null is what is not known, or what there was not.
type row struct {
	ID             string    `json:"id"`
	StartedAt      time.Time `json:"started_at"`
	Protocol       string    `json:"protocol"`
	Operation      string    `json:"operation"`
	Stream         bool      `json:"stream"`
	RequestedModel string    `json:"requested_model"`
	Group          *string   `json:"group"`
	GroupID        *string   `json:"group_id"`
	APIKeyID       *string   `json:"api_key_id"`
	APIKeyName     *string   `json:"api_key_name"`
	Client         *string   `json:"client"`
	Status         int       `json:"status"`
	Class          string    `json:"class"`
	Message        string    `json:"message"`
	Attempts       []attempt `json:"attempts"`
	// Skipped lists what was out when no target was left to try.
	Skipped      []skip   `json:"skipped"`
	FirstTokenMS *float64 `json:"first_token_ms"`
	TotalMS      float64  `json:"total_ms"`
	Usage        usage    `json:"usage"`
	// UsageKnown is how usage is known: reported, partial, estimated or unknown.
	UsageKnown  string   `json:"usage_known"`
	CostNanoUSD *int64   `json:"cost_nano_usd"`
	Warnings    warnings `json:"warnings"`
	BytesIn     int64    `json:"bytes_in"`
	BytesOut    int64    `json:"bytes_out"`
}

// fullRow is a row with the bodies, where the log keeps them.
type fullRow struct {
	row
	RequestBody  *string `json:"request_body"`
	ResponseBody *string `json:"response_body"`
}

// attempt is one try on one target. StartMS counts from the request's start. Why is why the target was chosen, Skipped what was
// out then.
type attempt struct {
	Channel      string   `json:"channel"`
	ChannelID    string   `json:"channel_id"`
	KeyID        *string  `json:"key_id"`
	Model        string   `json:"model"`
	StartMS      float64  `json:"start_ms"`
	DurationMS   float64  `json:"duration_ms"`
	FirstTokenMS *float64 `json:"first_token_ms"`
	Status       *int     `json:"status"`
	Class        string   `json:"class"`
	Verdict      string   `json:"verdict"`
	Message      string   `json:"message"`
	Why          string   `json:"why"`
	Skipped      []skip   `json:"skipped"`
	CostNanoUSD  *int64   `json:"cost_nano_usd"`
	// LostInputTokens is what an attempt is taken to have used that lost against another one.
	LostInputTokens *int64 `json:"lost_input_tokens"`
}

// skip is a target that was out; KeyID is nil when it is every key's. UntilMS counts from the request's start, and is nil when
// nobody knew.
type skip struct {
	Channel string   `json:"channel"`
	Model   string   `json:"model"`
	KeyID   *string  `json:"key_id"`
	Class   string   `json:"class"`
	UntilMS *float64 `json:"until_ms"`
}

// usage is what a request used: tokens by kind, of which the audio tokens are among input and output and reasoning is among
// output, and what else providers bill.
type usage struct {
	InputTokens        int64  `json:"input_tokens"`
	CacheReadTokens    int64  `json:"cache_read_tokens"`
	CacheWrite5mTokens int64  `json:"cache_write_5m_tokens"`
	CacheWrite1hTokens int64  `json:"cache_write_1h_tokens"`
	OutputTokens       int64  `json:"output_tokens"`
	ReasoningTokens    int64  `json:"reasoning_tokens"`
	InputAudioTokens   int64  `json:"input_audio_tokens"`
	OutputAudioTokens  int64  `json:"output_audio_tokens"`
	WebSearches        int64  `json:"web_searches"`
	Service            string `json:"service"`
}

// warnings are the fields that a conversion could not carry over exactly.
type warnings struct {
	Dropped      []string `json:"dropped"`
	Approximated []string `json:"approximated"`
}

func rowOf(o *outcome.Outcome) row {
	r := row{
		ID: o.ID, StartedAt: moment(o.Start), Protocol: o.Protocol.String(), Operation: operationName(o.Operation), Stream: o.Stream,
		RequestedModel: o.Requested, Group: optional(o.Group), GroupID: optional(o.GroupID), APIKeyID: optional(o.APIKeyID),
		APIKeyName: optional(o.APIKeyName), Status: o.Status, Class: o.Class.String(), Message: o.Message,
		Attempts: make([]attempt, len(o.Attempts)), Skipped: skipsOf(o.Skipped), FirstTokenMS: optionalMilliseconds(o.FirstToken), TotalMS: milliseconds(o.Total),
		Usage: usageOf(&o.Usage), UsageKnown: o.Usage.Knowledge.String(), Warnings: warningsOf(o.Warnings), BytesIn: o.BytesIn, BytesOut: o.BytesOut,
	}
	if o.Client.IsValid() {
		r.Client = optional(o.Client.String())
	}
	if o.CostKnown {
		r.CostNanoUSD = &o.CostNanoUSD
	}
	for i := range o.Attempts {
		r.Attempts[i] = attemptOf(&o.Attempts[i])
	}
	return r
}

func attemptOf(a *outcome.Attempt) attempt {
	answer := attempt{
		Channel: a.Channel, ChannelID: a.ChannelID, KeyID: optional(a.Key), Model: a.Model, StartMS: milliseconds(a.Start),
		DurationMS: milliseconds(a.Duration), FirstTokenMS: optionalMilliseconds(a.FirstToken), Class: a.Class.String(),
		Verdict: strings.ReplaceAll(a.Verdict.String(), " ", "_"), Message: a.Message, Why: a.Why.String(), Skipped: skipsOf(a.Skipped),
	}
	if a.CostKnown {
		answer.CostNanoUSD = &a.CostNanoUSD
	}
	if a.Usage.Input != 0 {
		answer.LostInputTokens = &a.Usage.Input
	}
	if a.Status != 0 {
		answer.Status = &a.Status
	}
	return answer
}

func skipsOf(skipped []outcome.Skip) []skip {
	items := make([]skip, len(skipped))
	for i := range skipped {
		s := &skipped[i]
		items[i] = skip{s.Channel, s.Model, optional(s.Key), s.Class.String(), optionalMilliseconds(s.Until)}
	}
	return items
}

func usageOf(u *llm.Usage) usage {
	return usage{
		InputTokens: u.Input, CacheReadTokens: u.CacheRead, CacheWrite5mTokens: u.CacheWrite5m, CacheWrite1hTokens: u.CacheWrite1h,
		OutputTokens: u.Output, ReasoningTokens: u.Reasoning, InputAudioTokens: u.InputAudio, OutputAudioTokens: u.OutputAudio,
		WebSearches: u.WebSearches, Service: serviceName(u.Service),
	}
}

// operationName returns the name of an operation, that of generating for what only a newer version knows.
func operationName(o outcome.Operation) string {
	switch o {
	case outcome.CountTokens:
		return "count_tokens"
	case outcome.Stored:
		return "stored"
	case outcome.Compact:
		return "compact"
	}
	return "generate"
}

func serviceName(s llm.Service) string {
	switch s {
	case llm.ServiceFast:
		return "fast"
	case llm.ServiceFlex:
		return "flex"
	}
	return "standard"
}

// warningsOf splits what the header x-octopus-warnings says: dropped=a,b; approx=c.
func warningsOf(header string) warnings {
	w := warnings{[]string{}, []string{}}
	for part := range strings.SplitSeq(header, "; ") {
		kind, fields, _ := strings.Cut(part, "=")
		switch kind {
		case "dropped":
			w.Dropped = strings.Split(fields, ",")
		case "approx":
			w.Approximated = strings.Split(fields, ",")
		}
	}
	return w
}

// filterParameters are the conditions on rows.
var filterParameters = []parameter{
	{name: "status", kind: aText, about: "The HTTP status that the client got, such as 429, or a class of them: 2xx to 5xx."},
	{name: "class", kind: aChoice, choices: classNames(), about: "How the request ended; none is success."},
	{name: "failed", kind: aFlag, fallback: "false", about: "Only requests that failed, in whatever way."},
	{name: "group", kind: aText, about: "Name or id of the group."},
	{name: "channel", kind: aText, about: "Name or id of a channel that was tried."},
	{name: "model", kind: aText, about: "The requested model, or the upstream's one that was tried."},
	{name: "api_key", kind: aText, about: "Name or id of the API key."},
	{name: "text", kind: aText, about: "Part of the id, of the model or of an error's message, in upper or lower case."},
}

var searchParameters = parameters([]parameter{
	{name: "from", kind: aTime, about: "Only requests that finished then or later."},
	{name: "to", kind: aTime, about: "Only requests that finished before."},
}, filterParameters, limitAndCursor)

func classNames() []string {
	names := make([]string, outcome.Classes)
	for i := range names {
		names[i] = outcome.Class(i).String()
	}
	return names
}

// filter returns the query of the log with the conditions of filterParameters.
func filter(q query) (requestlog.Query, error) {
	wanted := requestlog.Query{
		Failed: q.flag("failed"), Group: q.text("group"), Channel: q.text("channel"), Model: q.text("model"), APIKey: q.text("api_key"),
		Text: q.text("text"),
	}
	if status := q.text("status"); status != "" {
		digits, isClass := strings.CutSuffix(status, "xx")
		n, err := strconv.Atoi(digits)
		if err != nil || isClass && (n < 1 || n > 5) || !isClass && (n < 100 || n > 599) {
			return wanted, badField(codeBadParameter, "status", "status: expected a number from 100 to 599, or 1xx to 5xx")
		}
		wanted.Status = n
	}
	for i, name := range classNames() {
		if class := outcome.Class(i); name == q.text("class") {
			wanted.Class = &class
		}
	}
	return wanted, nil
}

func searchLogs(s *Server, _ *fasthttp.RequestCtx, q query) (any, error) {
	wanted, err := filter(q)
	if err != nil {
		return nil, err
	}
	if wanted.From, wanted.To, err = q.span(); err != nil {
		return nil, err
	}
	wanted.Limit, wanted.Cursor = q.number("limit"), q.text("cursor")
	found, err := s.options.Ledger.Log().Search(wanted)
	if errors.Is(err, requestlog.ErrCursor) {
		return nil, badCursor()
	}
	if err != nil {
		return nil, err
	}
	items := make([]row, len(found.Rows))
	for i, r := range found.Rows {
		items[i] = rowOf(&r.Outcome)
	}
	return listed(items, found.Next), nil
}

func findLog(s *Server, ctx *fasthttp.RequestCtx, _ query) (any, error) {
	id, _ := ctx.UserValue("id").(string)
	found, err := s.options.Ledger.Log().Find(id)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, refused(fasthttp.StatusNotFound, "not_found", "the log has no request with this id: it is running, or too old, or there never was one")
	}
	bodies, err := s.options.Ledger.Log().Bodies(found.Number)
	if err != nil {
		return nil, err
	}
	return fullRow{rowOf(&found.Outcome), optional(string(bodies.Request)), optional(string(bodies.Response))}, nil
}
