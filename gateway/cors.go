package gateway

import (
	"github.com/valyala/fasthttp"
)

// corsPolicy says which origins browsers may call from (https://fetch.spec.whatwg.org/#http-cors-protocol).
type corsPolicy struct {
	all     bool
	origins map[string]struct{}
}

func newCORSPolicy(origins []string) corsPolicy {
	p := corsPolicy{origins: make(map[string]struct{}, len(origins))}
	for _, origin := range origins {
		if origin == "*" {
			p.all = true
		}
		p.origins[origin] = struct{}{}
	}
	return p
}

func (p *corsPolicy) allows(origin []byte) bool {
	if p.all {
		return true
	}
	_, ok := p.origins[string(origin)]
	return ok
}

// answerCORS adds what a browser needs to hand the answer to its page. It answers preflight requests and returns true for
// them.
func (g *Gateway) answerCORS(ctx *fasthttp.RequestCtx) bool {
	preflight := ctx.IsOptions()
	origin := ctx.Request.Header.Peek(fasthttp.HeaderOrigin)
	policy := &g.snapshot.Load().cors
	if len(origin) > 0 && policy.allows(origin) {
		h := &ctx.Response.Header
		h.SetBytesV(fasthttp.HeaderAccessControlAllowOrigin, origin)
		h.Add(fasthttp.HeaderVary, "Origin")
		if preflight {
			h.Set(fasthttp.HeaderAccessControlAllowMethods, "GET, POST, DELETE, OPTIONS")
			if asked := ctx.Request.Header.Peek(fasthttp.HeaderAccessControlRequestHeaders); len(asked) > 0 {
				h.SetBytesV(fasthttp.HeaderAccessControlAllowHeaders, asked)
			}
			h.Set(fasthttp.HeaderAccessControlMaxAge, "600")
		} else {
			h.Set(fasthttp.HeaderAccessControlExposeHeaders, "*")
		}
	}
	if preflight {
		ctx.SetStatusCode(fasthttp.StatusNoContent)
	}
	return preflight
}
