package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// headerLimit is how long a client may take for a request's header section, and for each piece of its body; slack is
	// what the machine may add.
	headerLimit = 30 * time.Second
	slack       = 15 * time.Second
	// promptly is how soon a well-behaved client is answered meanwhile.
	promptly = 2 * time.Second
)

func TestSlowAndIdleClients(t *testing.T) {
	t.Parallel() // It mostly waits.
	const slow = 20
	idle := 2000
	if *full {
		idle = 10_000
	}
	proves(t, "F31", fmt.Sprintf("slow headers and bodies end after %v; new clients are served beside them and %d idle ones",
		headerLimit, idle))
	g := startGateway(t, nil)
	for range idle {
		dial(t, g.data)
	}

	// Slow clients, every one in its own way; each must be told to go, or be cut off, in time.
	chat := &protocols[0]
	body := chat.body("north/m", false)
	announced := head(chat.path, fmt.Sprintf("Content-Length: %d", len(body)))
	begun := time.Now()
	var waiting sync.WaitGroup
	for i := range slow {
		for _, way := range []struct {
			name, sent string
			// drip is what follows, byte by byte.
			drip string
		}{
			{"half a line of the header", announced[:20], ""},
			{"headers byte by byte", "POST " + chat.path + " HTTP/1.1\r\nX-Slow: ", strings.Repeat("x", 200)},
			{"half a body", announced + body[:20], ""},
			{"half a chunk", head(chat.path, "Transfer-Encoding: chunked") + "40\r\n{", ""},
		} {
			conn := dial(t, g.data)
			if err := conn.SetDeadline(begun.Add(headerLimit + slack)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, way.sent); err != nil {
				t.Fatal(err)
			}
			over := make(chan struct{})
			waiting.Go(func() {
				defer close(over)
				if err := endedByOther(conn); err != nil {
					t.Errorf("client %d with %s was not cut off after %v: %v", i, way.name, time.Since(begun), err)
				}
			})
			if way.drip != "" {
				waiting.Go(func() { drip(conn, way.drip, over) })
			}
		}
	}

	// New clients are served, now and while the slow ones hold on.
	ended := make(chan struct{})
	go func() {
		waiting.Wait()
		close(ended)
	}()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for running := true; running; {
		for i := range protocols {
			p := &protocols[i]
			start := time.Now()
			got := g.post(t.Context(), p, p.body("octo-1", i == 2))
			if took := time.Since(start); got.status != 200 || took > promptly {
				t.Errorf("a new client of %s: %v after %v, want 200 within %v", p.name, got, took, promptly)
			}
		}
		select {
		case <-ticker.C:
		case <-ended:
			running = false
		}
	}
	if g.metrics(t)["octopus_client_connections"] < float64(idle) {
		t.Errorf("%v client connections are open, want the %d idle ones among them: idling is no fault yet",
			g.metrics(t)["octopus_client_connections"], idle)
	}
	if got := g.north.Counts().Left; got != 0 {
		t.Errorf("%d requests of slow clients reached the provider", got)
	}
}

// endedByOther reads to the end of the connection and returns an error when our own deadline comes first.
func endedByOther(conn net.Conn) error {
	_, err := io.Copy(io.Discard, bufio.NewReader(conn))
	if e, ok := err.(net.Error); ok && e.Timeout() {
		return err
	}
	return nil // EOF or a reset
}

// drip writes text byte by byte, one a second, until it is written or stop is closed.
func drip(conn net.Conn, text string, stop <-chan struct{}) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for i := range len(text) {
		select {
		case <-ticker.C:
		case <-stop:
			return
		}
		if _, err := conn.Write([]byte{text[i]}); err != nil {
			return
		}
	}
}
