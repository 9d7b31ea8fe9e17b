package prices

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"octopus/gateway/config"
	"octopus/gateway/dial"
)

func TestFetchReadsACatalogOnce(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == `"v1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"v1"`)
		_, _ = w.Write([]byte(r.RequestURI))
	}))
	defer server.Close()
	dialer := dial.New(dial.Options{})
	d, err := fetch(t.Context(), dialer, Settings{URL: server.URL + "/api.json?a=1"}, "")
	if err != nil || string(d.body) != "/api.json?a=1" || d.etag != `"v1"` {
		t.Fatalf("got %q, %q, %v", d.body, d.etag, err)
	}
	if d, err = fetch(t.Context(), dialer, Settings{URL: server.URL + "/api.json"}, d.etag); err != nil || d.body != nil || d.etag != `"v1"` {
		t.Errorf("unchanged: got %q, %q, %v", d.body, d.etag, err)
	}
}

func TestFetchRefusesWhatIsNoCatalog(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"status 404": http.NotFound,
		"status 302": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"status 304": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
		"larger than 32 MiB": func(w http.ResponseWriter, _ *http.Request) {
			block := make([]byte, 1<<20)
			for range 40 {
				if _, err := w.Write(block); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(serve)
			defer server.Close()
			if _, err := fetch(t.Context(), dial.New(dial.Options{}), Settings{URL: server.URL}, ""); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v, want an error with %q", err, name)
			}
		})
	}
}

func TestFetchGoesThroughItsProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != "catalog.example:80" {
			t.Errorf("the proxy was asked to %s %s", r.Method, r.Host)
		}
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 200 OK\r\n\r\n")
		_ = rw.Flush()
		if _, err := http.ReadRequest(rw.Reader); err == nil {
			_, _ = rw.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
			_ = rw.Flush()
		}
	}))
	defer proxy.Close()
	d, err := fetch(t.Context(), dial.New(dial.Options{}), Settings{URL: "http://catalog.example/api.json", Proxy: config.Secret(proxy.URL)}, "")
	if err != nil || string(d.body) != "{}" {
		t.Errorf("got %q, %v", d.body, err)
	}
	if _, err := fetch(t.Context(), dial.New(dial.Options{}), Settings{URL: "http://catalog.example/", Proxy: "ftp://user:secret@x"}, ""); err == nil ||
		strings.Contains(err.Error(), "secret") {
		t.Errorf("a proxy that is none: %v", err)
	}
}

func TestFetchEndsWithItsContext(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := fetch(ctx, dial.New(dial.Options{}), Settings{URL: server.URL}, ""); err == nil {
		t.Error("a silent server was waited for")
	}
	// A server that shuts down has no deadline to tell.
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	ended := make(chan error, 1)
	go func() {
		_, err := fetch(ctx, dial.New(dial.Options{}), Settings{URL: server.URL}, "")
		ended <- err
	}()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("a silent server was waited for though nobody wants its answer any more")
	}
}
