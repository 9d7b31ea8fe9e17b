package gatewaytest

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
)

// judge reads one request as strictly as the real provider does (protocols.md A.2, A.4, A.7, D and H).
type judge struct {
	protocol llm.Protocol
	route    route
	provider *Provider
	body     []byte
	// gpt and claude are what the model takes; the one of the other provider is zero.
	gpt    gpt
	claude claude
	// version and betas are Anthropic's headers.
	version, betas string
}

// validate returns why the real provider would refuse the request, or nil.
func (r *reply) validate(ctx *fasthttp.RequestCtx) *failure {
	h := &ctx.Request.Header
	j := judge{
		protocol: r.ask.protocol, route: r.route, provider: r.p, body: r.ask.body,
		version: string(h.Peek("Anthropic-Version")),
	}
	for _, beta := range h.PeekAll("Anthropic-Beta") {
		j.betas += string(beta) + ","
	}
	if f := j.headers(h); f != nil {
		return f
	}
	if r.route != routeAnswer && r.route != routeCount {
		return nil
	}
	c := j.request(r.ask.model)
	if c == nil {
		return nil
	}
	f := fail(j.protocol, max(c.status, fasthttp.StatusBadRequest), "", r.ask.model)
	f.message, f.param, f.code = c.message, c.param, c.code
	return &f
}

// headers checks that the credential travels as the protocol wants it, and Anthropic's version.
func (j *judge) headers(h *fasthttp.RequestHeader) *failure {
	has := func(name string) bool { return len(h.Peek(name)) > 0 }
	if j.protocol != llm.Messages {
		if !has("Authorization") && !has("Api-Key") {
			f := fail(j.protocol, fasthttp.StatusUnauthorized, "", "")
			f.message = "You didn't provide an API key."
			return &f
		}
		return nil
	}
	message := ""
	switch {
	case j.version == "":
		message = "anthropic-version: header is required"
	case !slices.Contains([]string{"2023-01-01", "2023-06-01", versionWithoutSampling}, j.version):
		message = "anthropic-version: \"" + j.version + "\" is not a valid version"
	default:
		return nil
	}
	f := fail(j.protocol, fasthttp.StatusBadRequest, "", "")
	f.message = message
	return &f
}

// request checks the body of a request for that model.
func (j *judge) request(model string) *complaint {
	if err := json.Unmarshal(j.body, new(json.RawMessage)); err != nil {
		return &complaint{message: notJSON + " (" + err.Error() + ")"}
	}
	switch j.protocol {
	case llm.Chat:
		j.gpt = gptOf(model)
		return j.chat()
	case llm.Responses:
		j.gpt = gptOf(model)
		return j.responses()
	}
	j.claude = claudeOf(model)
	return j.messages()
}

// has reports whether the request has a top-level field that is not null.
func (j *judge) has(key string) bool { return member(j.body, key) != nil }

// text returns the string that a top-level field is, or nothing.
func (j *judge) text(key string) string { return decoded(member(j.body, key)) }

// hasBeta reports whether the request carries a beta header that begins so.
func (j *judge) hasBeta(prefix string) bool {
	return slices.ContainsFunc(strings.Split(j.betas, ","), func(beta string) bool {
		return strings.HasPrefix(strings.TrimSpace(beta), prefix)
	})
}

// unanswered are the ids of calls that wait for their results.
type unanswered []string

// answer takes a call off the list. It returns false when it is not there.
func (u *unanswered) answer(id string) bool {
	at := slices.Index(*u, id)
	if at < 0 {
		return false
	}
	*u = slices.Delete(*u, at, at+1)
	return true
}
