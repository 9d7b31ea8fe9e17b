package admin

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestProfiles(t *testing.T) {
	p := openWithToken(t, Options{})
	const gzip = "\x1f\x8b"
	for path, want := range map[string]string{
		"/debug/pprof/heap":              gzip,
		"/debug/pprof/allocs":            gzip,
		"/debug/pprof/goroutine?debug=2": "goroutine ",
		"/debug/pprof/profile?seconds=1": gzip,
	} {
		response, body := p.call(t, "GET", path, "")
		if response.StatusCode != 200 || !strings.HasPrefix(body, want) {
			t.Errorf("%s: %d %.20q, want %q first", path, response.StatusCode, body, want)
		}
	}
	response, body := p.call(t, "GET", "/debug/pprof/nothing", "")
	checkError(t, response, body, 404, "not_found")
}

func TestOneProfileAtATimeWhichShutdownEnds(t *testing.T) {
	p := openWithToken(t, Options{})
	first := make(chan int)
	go func() {
		response, _ := p.call(t, "GET", "/debug/pprof/profile?seconds=60", "")
		first <- response.StatusCode
	}()
	for !p.profiling.Load() {
		time.Sleep(time.Millisecond)
	}
	response, body := p.call(t, "GET", "/debug/pprof/profile?seconds=1", "")
	checkError(t, response, body, 409, "profiling")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := p.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if status := <-first; status != 200 {
		t.Errorf("the first one ended with %d", status)
	}
}
