package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/dial"
	"octopus/gateway/outcome"
)

// png and pdf are as much of such files as providers look at.
var (
	png = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00")
	pdf = []byte("%PDF-1.4\n%%EOF\n")
)

// fetching has the first channel, which speaks p, download images.
func fetching(p llm.Protocol) func(*config.Config) {
	return func(c *config.Config) {
		speaking(p)(c)
		c.Channels[0].Convert.FetchImages = true
	}
}

// allowLoopback lets the gateway download from this machine.
func (w *world) allowLoopback() {
	d := dial.New(dial.Options{Public: func(ip netip.Addr) bool { return ip.IsLoopback() }})
	w.gateway.fetcher.dial = func(ctx context.Context, a dial.Address, timeout time.Duration) (net.Conn, error) {
		return d.DialPublic(ctx, a, timeout)
	}
}

// withImages returns a request with images at addresses, and where the first address stands in it.
func withImages(p llm.Protocol, urls ...string) (body, place string) {
	var parts []string
	for _, url := range urls {
		switch p {
		case llm.Chat:
			parts = append(parts, fmt.Sprintf(`{"type":"image_url","image_url":{"url":%q}}`, url))
		case llm.Responses:
			parts = append(parts, fmt.Sprintf(`{"type":"input_image","image_url":%q}`, url))
		default:
			parts = append(parts, fmt.Sprintf(`{"type":"image","source":{"type":"url","url":%q}}`, url))
		}
	}
	content := strings.Join(parts, ",")
	switch p {
	case llm.Chat:
		return `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"what is this?"},` + content + `]}]}`,
			"messages[0].content[1].image_url.url"
	case llm.Responses:
		return `{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"what is this?"},` + content + `]}]}`,
			"input[0].content[1].image_url"
	}
	return `{"model":"m","max_tokens":100,"messages":[{"role":"user","content":[{"type":"text","text":"what is this?"},` + content + `]}]}`,
		"messages[0].content[1].source.url"
}

// withDocument is withImages for a PDF.
func withDocument(p llm.Protocol, url string) (body, place string) {
	switch p {
	case llm.Responses:
		return fmt.Sprintf(`{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"read"},{"type":"input_file","file_url":%q}]}]}`, url),
			"input[0].content[1].file_url"
	default:
		return fmt.Sprintf(`{"model":"m","max_tokens":100,"messages":[{"role":"user","content":[{"type":"text","text":"read"},{"type":"document","source":{"type":"url","url":%q}}]}]}`, url),
			"messages[0].content[1].source.url"
	}
}

// ask posts a request and returns status and body of the answer.
func (w *world) ask(p llm.Protocol, body string) (int, string) {
	w.t.Helper()
	resp := w.post(paths[p], body, "X-Stainless-Lang", "js", "Traceparent", "00-1", "User-Agent", "client/1")
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// gallery is a server of images that keeps what it was asked.
type gallery struct {
	*httptest.Server
	mu    sync.Mutex
	asked []http.Header
}

func newGallery(t *testing.T, serve http.HandlerFunc) *gallery {
	g := new(gallery)
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.asked = append(g.asked, r.Header.Clone())
		g.mu.Unlock()
		serve(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gallery) requests() []http.Header {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked
}

func TestImagesAreDownloadedForChannelsThatWantThem(t *testing.T) {
	pictures := newGallery(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html") // a lie
		if strings.HasSuffix(r.URL.Path, ".pdf") {
			_, _ = w.Write(pdf)
			return
		}
		_, _ = w.Write(png)
	})
	for _, upstream := range llm.Protocols {
		w := newWorld(t, 1, fetching(upstream))
		w.allowLoopback()
		for _, client := range llm.Protocols {
			t.Run(fmt.Sprintf("%v on %v", client, upstream), func(t *testing.T) {
				w.script("")
				before := len(pictures.requests())
				url := pictures.URL + "/a.png?size=1"
				body, _ := withImages(client, url, url, pictures.URL+"/b.png")
				status, answer := w.ask(client, body)
				if client == upstream {
					if n := len(pictures.requests()) - before; n != 0 {
						t.Errorf("%d downloads for a request that passes", n)
					}
					return
				}
				log := w.providers[0].Requests()
				if status != 200 || len(log) != 1 {
					t.Fatalf("got %d, %s", status, answer)
				}
				sent := string(log[0].Body)
				if n := strings.Count(sent, base64.StdEncoding.EncodeToString(png)); n != 3 || strings.Contains(sent, pictures.URL) {
					t.Errorf("the provider got %s", sent)
				}
				asked := pictures.requests()[before:]
				if len(asked) != 2 {
					t.Fatalf("%d downloads for 2 addresses", len(asked))
				}
				for name, values := range asked[0] {
					switch name {
					case "User-Agent", "Accept", "Accept-Encoding", "Connection":
						if strings.Contains(fmt.Sprint(values), "client") {
							t.Errorf("the download has %s %v", name, values)
						}
					default:
						t.Errorf("the download has %s %v", name, values)
					}
				}
				if client == llm.Chat {
					return // has no documents by address
				}
				body, _ = withDocument(client, pictures.URL+"/c.pdf")
				status, answer = w.ask(client, body)
				log = w.providers[0].Requests()
				sent = string(log[len(log)-1].Body)
				if status != 200 || strings.Contains(sent, base64.StdEncoding.EncodeToString(pdf)) != (upstream == llm.Chat) {
					t.Errorf("a document: got %d, %s; the provider got %s", status, answer, sent)
				}
			})
		}
	}
}

func TestDownloadsThatFailAreTold(t *testing.T) {
	large := bytes.Repeat([]byte{0}, 1<<20)
	elsewhere := newGallery(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(png) })
	var served atomic.Int64
	pictures := newGallery(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/missing.png":
			http.NotFound(w, r)
		case "/page.png":
			w.Header().Set("Content-Type", "image/png")
			_, _ = io.WriteString(w, "<html>no image</html>")
		case "/empty.png":
		case "/picture.svg":
			w.Header().Set("Content-Type", "image/svg+xml")
			_, _ = io.WriteString(w, `<svg xmlns="http://www.w3.org/2000/svg"/>`)
		case "/announced.png":
			w.Header().Set("Content-Length", "30000000")
			_, _ = w.Write(png)
		case "/endless.png":
			_, _ = w.Write(png)
			for served.Store(0); ; served.Add(int64(len(large))) {
				if _, err := w.Write(large); err != nil {
					return
				}
			}
		case "/encoded.png":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(png)
		case "/paper.pdf":
			_, _ = w.Write(pdf)
		case "/cut.png":
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write(png)
		case "/loop.png":
			http.Redirect(w, r, "/loop.png", http.StatusFound)
		case "/once.png":
			http.Redirect(w, r, elsewhere.URL+"/x.png", http.StatusMovedPermanently)
		case "/inside.png":
			http.Redirect(w, r, "http://10.0.0.1/x.png", http.StatusFound)
		case "/metadata.png":
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		case "/file.png":
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		}
	})
	w := newWorld(t, 1, fetching(llm.Messages))
	w.allowLoopback()
	for _, c := range []struct{ name, url, want string }{
		{"nothing there", pictures.URL + "/missing.png", "status 404"},
		{"a page that is called an image", pictures.URL + "/page.png", "no JPEG, PNG"},
		{"nothing in it", pictures.URL + "/empty.png", "no JPEG, PNG"},
		{"an image that models don't read", pictures.URL + "/picture.svg", "no JPEG, PNG"},
		{"announced too large", pictures.URL + "/announced.png", "larger than 20 MiB"},
		{"never ending", pictures.URL + "/endless.png", "larger than 20 MiB"},
		{"encoded", pictures.URL + "/encoded.png", "encodes it"},
		{"a document in place of an image", pictures.URL + "/paper.pdf", "application/pdf"},
		{"cut", pictures.URL + "/cut.png", "broke off"},
		{"a circle of redirects", pictures.URL + "/loop.png", "redirects too often"},
		{"a redirect to a private address", pictures.URL + "/inside.png", "no public address"},
		{"a redirect to a metadata address", pictures.URL + "/metadata.png", "no public address"},
		{"a redirect to a file", pictures.URL + "/file.png", "http or https"},
		{"a private address", "http://192.168.0.1/x.png", "no public address"},
		{"a metadata address in IPv6", "http://[fd00:ec2::254]/x.png", "no public address"},
		{"a credential in the address", "http://me:secret@127.0.0.1/x.png", "user name"},
		{"a good one behind a redirect", pictures.URL + "/once.png", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, client := range []llm.Protocol{llm.Chat, llm.Responses} {
				w.script("")
				body, place := withImages(client, c.url)
				status, answer := w.ask(client, body)
				if c.want == "" {
					if status != 200 {
						t.Errorf("got %d, %s", status, answer)
					}
					continue
				}
				if status != 400 || !strings.Contains(answer, `"param":"`+place+`"`) || !strings.Contains(answer, c.want) || strings.Contains(answer, "secret") {
					t.Errorf("got %d, %s", status, answer)
				}
				if n := len(w.providers[0].Requests()); n != 0 {
					t.Errorf("the provider was asked %d times", n)
				}
			}
		})
	}
	if n := served.Load(); n > 64<<20 {
		t.Errorf("%d bytes of an endless image were taken", n)
	}
	// An Anthropic client is told in its own words.
	chat := newWorld(t, 1, fetching(llm.Chat))
	chat.allowLoopback()
	for _, c := range []func(llm.Protocol, string) (string, string){
		func(p llm.Protocol, url string) (string, string) { return withImages(p, url) }, withDocument,
	} {
		body, place := c(llm.Messages, pictures.URL+"/missing.png")
		if status, answer := chat.ask(llm.Messages, body); status != 400 || !strings.HasPrefix(answer, `{"type":"error"`) ||
			!strings.Contains(answer, "invalid_request_error") || !strings.Contains(answer, place) {
			t.Errorf("got %d, %s", status, answer)
		}
	}
}

func TestDownloadsAreBounded(t *testing.T) {
	pictures := newGallery(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(png)
		if r.URL.Path == "/large" {
			_, _ = w.Write(make([]byte, 12<<20))
		}
	})
	w := newWorld(t, 1, fetching(llm.Messages))
	w.allowLoopback()
	addresses := func(path string, n int) (urls []string) {
		for i := range n {
			urls = append(urls, fmt.Sprintf("%s%s?%d", pictures.URL, path, i))
		}
		return urls
	}
	for _, c := range []struct {
		path   string
		n      int
		status int
		want   string
	}{
		{"/small", maxAddresses, 200, ""},
		{"/small", maxAddresses + 1, 400, "more than 16 addresses"},
		{"/large", 2, 200, ""},
		{"/large", 3, 400, "larger than 32 MiB"},
	} {
		body, _ := withImages(llm.Chat, addresses(c.path, c.n)...)
		if status, answer := w.ask(llm.Chat, body); status != c.status || !strings.Contains(answer, c.want) {
			t.Errorf("%d of %s: got %d, %.300s", c.n, c.path, status, answer)
		}
	}
}

func TestDownloadsAreNotRepeated(t *testing.T) {
	pictures := newGallery(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/missing" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write(png)
	})
	w := newWorld(t, 4, func(c *config.Config) {
		for i, p := range []llm.Protocol{llm.Messages, llm.Chat, llm.Messages, llm.Messages} {
			c.Channels[i].Endpoints = []config.Endpoint{{Protocol: p, BaseURL: c.Channels[i].Endpoints[0].BaseURL}}
			c.Channels[i].Convert.FetchImages = i != 2
		}
		members("x!status=500", "x!status=503", "x!status=503", "x")(c)
		c.Groups[0].Policy.Attempts = 6
	})
	w.allowLoopback()
	body, _ := withImages(llm.Responses, pictures.URL+"/a")
	if status, answer := w.ask(llm.Responses, body); status != 200 {
		t.Fatalf("got %d, %s", status, answer)
	}
	if n := len(pictures.requests()); n != 1 {
		t.Errorf("%d downloads", n)
	}
	for i, wantURL := range []bool{false, false, true, false} {
		log := w.providers[i].Requests()
		if len(log) == 0 {
			t.Fatalf("provider %d was not asked", i+1)
		}
		sent := string(log[len(log)-1].Body)
		if strings.Contains(sent, pictures.URL) != wantURL || strings.Contains(sent, base64.StdEncoding.EncodeToString(png)) == wantURL {
			t.Errorf("provider %d got %s", i+1, sent)
		}
	}

	// A channel that is sent addresses takes what others can't be given.
	next := *w.config
	next.Groups = append([]config.Group(nil), w.config.Groups...)
	next.Groups[0].Members = append([]config.Member(nil), w.config.Groups[0].Members...)
	next.Groups[0].Members[2].Model = "x"
	if err := w.gateway.Apply(&next); err != nil {
		t.Fatal(err)
	}
	body, _ = withImages(llm.Responses, pictures.URL+"/missing")
	if status, answer := w.ask(llm.Responses, body); status != 200 {
		t.Errorf("got %d, %s", status, answer)
	}
	if n := len(pictures.requests()); n != 2 {
		t.Errorf("%d downloads", n)
	}
}

func TestSlowDownloadsEnd(t *testing.T) {
	for _, c := range []struct {
		name  string
		serve func(c net.Conn, r *bufio.Reader)
	}{
		{"silence", func(c net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) }},
		{"a byte now and then", func(c net.Conn, r *bufio.Reader) {
			if _, err := readRequest(r); err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"+string(png))
			for {
				time.Sleep(time.Second)
				if _, err := c.Write([]byte{0}); err != nil {
					return
				}
			}
		}},
		{"a header that goes on", func(c net.Conn, r *bufio.Reader) {
			if _, err := readRequest(r); err != nil {
				return
			}
			for {
				if _, err := io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newBubble(t, fetching(llm.Messages), answering(0))
				host := piped(c.serve)
				w.gateway.fetcher.dial = func(_ context.Context, _ dial.Address, timeout time.Duration) (net.Conn, error) { return host(timeout) }
				body, _ := withImages(llm.Chat, "https://pictures.test/a", "https://pictures.test/b")
				begun := time.Now()
				ctx := w.handle(http.MethodPost, paths[llm.Chat], strings.NewReader(body))
				if took := time.Since(begun); ctx.Response.StatusCode() != 400 || !strings.Contains(string(ctx.Response.Body()), "too long") || took != fetchTimeout {
					t.Errorf("got %d after %v, %s", ctx.Response.StatusCode(), took, ctx.Response.Body())
				}
			})
		})
	}
}

func TestClientThatLeavesEndsItsDownloads(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan struct{})
	pictures := newGallery(t, func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(ended)
	})
	w := newWorld(t, 1, fetching(llm.Messages))
	w.allowLoopback()
	row := w.script("")
	conn := w.dial()
	body, _ := withImages(llm.Chat, pictures.URL+"/a")
	send(t, conn, "POST /v1/chat/completions", "", body)
	<-begun
	_ = conn.Close()
	left := time.Now()
	<-ended
	if took := time.Since(left); took > time.Second {
		t.Errorf("the download went on for %v", took)
	}
	if o := w.ledger.wait(t, row); o.Class != outcome.ClassClientGone || len(w.providers[0].Requests()) != 0 {
		t.Errorf("outcome: %+v", o)
	}
}

func TestNothingIsDownloadedUnlessTheChannelWantsIt(t *testing.T) {
	pictures := newGallery(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(png) })
	w := newWorld(t, 1, speaking(llm.Messages))
	w.allowLoopback()
	body, _ := withImages(llm.Chat, pictures.URL+"/a")
	if status, answer := w.ask(llm.Chat, body); status != 200 || len(pictures.requests()) != 0 {
		t.Errorf("got %d, %s; %d downloads", status, answer, len(pictures.requests()))
	}
}

func TestThisMachineIsNotDownloadedFrom(t *testing.T) {
	pictures := newGallery(t, func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(png) })
	w := newWorld(t, 1, func(c *config.Config) {
		fetching(llm.Messages)(c)
		c.Settings.AllowMetadataAddresses = true
	})
	body, place := withImages(llm.Chat, pictures.URL+"/a")
	status, answer := w.ask(llm.Chat, body)
	if status != 400 || !strings.Contains(answer, place) || !strings.Contains(answer, "no public address") || len(pictures.requests()) != 0 {
		t.Errorf("got %d, %s; %d downloads", status, answer, len(pictures.requests()))
	}
}
