//go:build !race

package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"octopus/codec/llm"
	"octopus/gateway/config"
	"octopus/gateway/gatewaytest"
)

// rawClient sends the same request again and again over one connection and reads answers without allocating.
type rawClient struct {
	conn    net.Conn
	request []byte
	buffer  []byte
}

func newRawClient(t testing.TB, url string, p llm.Protocol, model string, stream bool) *rawClient {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	body := requestBody(p, model, stream)
	return &rawClient{conn: conn, buffer: make([]byte, 1<<20), request: fmt.Appendf(nil,
		"POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		paths[p], testKey, len(body), body)}
}

// call sends the request and reads until what the answer ends with.
func (c *rawClient) call(t testing.TB, end string) {
	if _, err := c.conn.Write(c.request); err != nil {
		t.Fatal(err)
	}
	n := 0
	for !bytes.HasSuffix(c.buffer[:n], []byte(end)) {
		if n > len(c.buffer)/2 {
			// What is behind is read; the end is short.
			n = copy(c.buffer, c.buffer[n-100:n])
		}
		m, err := c.conn.Read(c.buffer[n:])
		if err != nil && err != io.EOF || m == 0 {
			t.Fatalf("reading the answer: %v, %s", err, c.buffer[:n])
		}
		n += m
	}
}

// mallocs returns how many heap objects f makes, all goroutines together.
func mallocs(f func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs - before.Mallocs)
}

const chunkedEnd = "\r\n0\r\n\r\n"

func TestEventsCostNoAllocation(t *testing.T) {
	for _, p := range llm.Protocols {
		t.Run(p.String(), func(t *testing.T) {
			w := newWorldOf(t, 1, gatewaytest.Options{NoLog: true}, nil)
			w.gateway.options.Ledger = nil
			perStream := func(tokens int) float64 {
				c := newRawClient(t, w.url, p, fmt.Sprintf("p1/x!tokens=%d", tokens), true)
				for range 5 {
					c.call(t, chunkedEnd)
				}
				const streams = 10
				return mallocs(func() {
					for range streams {
						c.call(t, chunkedEnd)
					}
				}) / streams
			}
			short, long := perStream(100), perStream(2100)
			if perEvent := (long - short) / 2000; perEvent > 0.02 {
				t.Errorf("%.3f allocations per event (%.0f for 100 events, %.0f for 2100)", perEvent, short, long)
			}
			t.Logf("allocations per stream: %.1f with 100 events, %.1f with 2100", short, long)
		})
	}
}

func TestRequestsCostFewAllocations(t *testing.T) {
	// Four are the provider's, one is fasthttp's (the drain of a request's body). What is kept of a response that later
	// requests may refer to takes six more.
	most := map[llm.Protocol]float64{llm.Chat: 5.5, llm.Responses: 11.5, llm.Messages: 5.5}
	for _, limited := range []bool{false, true} {
		w := newWorldOf(t, 1, gatewaytest.Options{NoLog: true}, func(c *config.Config) {
			if limited {
				all(costing(usd, usd), keyed(config.APIKey{RPM: 1e9, TPM: 1e9, Concurrency: 9, BudgetNanoUSD: 1e18, BudgetPeriod: config.BudgetDay}))(c)
			}
		})
		w.gateway.options.Ledger = nil
		for _, p := range llm.Protocols {
			c := newRawClient(t, w.url, p, "m", false)
			for range 50 {
				c.call(t, "}")
			}
			const requests = 1000
			n := mallocs(func() {
				for range requests {
					c.call(t, "}")
				}
			}) / requests
			if n > most[p] {
				t.Errorf("%v, limited %v: %.1f allocations per request, want at most %.0f", p, limited, n, most[p])
			}
			t.Logf("%v, limited %v: %.1f allocations per request", p, limited, n)
		}
	}
}

func TestAffinityKeysCostNoAllocation(t *testing.T) {
	body := []byte(`{"model":"m","tools":[{"type":"function","function":{"name":"f"}}],"messages":[{"role":"system","content":"` +
		strings.Repeat("long ", 1000) + `"},{"role":"user","content":[{"type":"text","text":"hello \"you\""}]}],"metadata":{"a":"b"}}`)
	c := new(call)
	c.key = new(apiKey)
	c.request.Body = body
	c.route.group = &group{affinity: newAffinity(config.ModeRoundRobin, nil)}
	var h fasthttp.RequestHeader
	for _, kind := range []config.Affinity{config.AffinitySession, config.AffinityPromptCache} {
		c.route.group.kind = kind
		if n := testing.AllocsPerRun(100, func() { c.findAffinity(&h) }); n > 0 || !c.affinity.known {
			t.Errorf("%s: %.0f allocations, key %v", kind, n, c.affinity)
		}
	}
}
