package admin

import (
	"runtime/pprof"
	"time"

	"github.com/valyala/fasthttp"
)

var profileParameters = []parameter{
	{name: "seconds", kind: aNumber, fallback: "10", min: 1, max: 60, about: "How long profile, which is of the CPU, looks."},
	{name: "debug", kind: aNumber, fallback: "0", min: 0, max: 2, about: "1 or 2 answers other profiles as text for people."},
}

// profile answers with what net/http/pprof does under the same path. That package registers itself where nobody asks for it.
func profile(s *Server, ctx *fasthttp.RequestCtx, q query) (any, error) {
	name, _ := ctx.UserValue("profile").(string)
	ctx.SetContentType("application/octet-stream")
	if name == "profile" {
		if !s.profiling.CompareAndSwap(false, true) {
			return nil, refused(fasthttp.StatusConflict, "profiling", "such a profile is being taken already")
		}
		defer s.profiling.Store(false)
		if err := pprof.StartCPUProfile(ctx); err != nil {
			return nil, err
		}
		defer pprof.StopCPUProfile()
		select {
		case <-time.After(time.Duration(q.number("seconds")) * time.Second):
		case <-s.running.Done():
		}
		return nil, nil
	}
	p := pprof.Lookup(name)
	if p == nil {
		return nil, refused(fasthttp.StatusNotFound, "not_found",
			"no such profile; known are profile, allocs, block, goroutine, heap, mutex and threadcreate")
	}
	if q.number("debug") > 0 {
		ctx.SetContentType(textType)
	}
	return nil, p.WriteTo(ctx, q.number("debug"))
}
