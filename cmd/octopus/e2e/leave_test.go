package e2e

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"octopus/gateway/gatewaytest"
)

// leaveLimit is how long after its client left an upstream connection may stay open (faults.md F30).
const leaveLimit = time.Second

func TestClientLeaves(t *testing.T) {
	proves(t, "F30", "clients that leave in each phase: upstream closed within 1 s, three protocols, streams and whole answers")
	g := startGateway(t, nil)
	left := 0
	t.Run("SDKs", func(t *testing.T) { left += sdksLeave(t, g) })
	t.Run("sockets", func(t *testing.T) { left += socketsLeave(t, g) })

	// Nobody is blamed but the clients, and no connection stays that is not idle.
	series := g.settledMetrics(t)
	gone, attempts := 0.0, 0.0
	for name, n := range series {
		if strings.HasPrefix(name, "octopus_requests_total{") && strings.Contains(name, `status="499"`) {
			gone += n
		}
		if strings.HasPrefix(name, "octopus_attempts_total{") && !strings.Contains(name, `class="client_gone"`) {
			attempts += n
		}
	}
	if gone != float64(left) || attempts != 0 {
		t.Errorf("metrics count %v requests with 499 and %v attempts that ended otherwise, want %d and 0",
			gone, attempts, left)
	}
	if err := g.north.WaitOpen(patient(t), 0); err != nil {
		t.Errorf("%d upstream connections stay open: %v", g.north.Counts().Open, err)
	}
}

// sdksLeave lets the clients of leave.mjs leave and returns how many there were.
func sdksLeave(t *testing.T, g *gateway) int {
	s := startScript(t, g, "leave")
	first, ok := s.next(t)
	if !ok || len(first.Asked) == 0 {
		t.Fatalf("the script said %+v first, want the models it asked for", first)
	}
	waitForModels(t, g.north, first.Asked)
	if err := s.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	for line, ok := s.next(t); ok; line, ok = s.next(t) {
		line.report(t)
		if line.OK {
			checkLeft(t, g.north, line.Name, line.Model, time.UnixMilli(line.Left))
		}
	}
	return len(first.Asked)
}

// socketsLeave lets clients leave that do it in ways of their own and returns how many there were.
func socketsLeave(t *testing.T, g *gateway) int {
	ways := []struct {
		name  string
		leave func(c *net.TCPConn) error
	}{
		{"closes", func(c *net.TCPConn) error { return c.Close() }},
		{"resets", func(c *net.TCPConn) error {
			if err := c.SetLinger(0); err != nil {
				return err
			}
			return c.Close()
		}},
		{"closes its writing half", func(c *net.TCPConn) error { return c.CloseWrite() }},
		{"closes behind a pipelined request", func(c *net.TCPConn) error {
			if _, err := c.Write([]byte("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
				return err
			}
			return c.CloseWrite()
		}},
	}
	phases := []struct{ name, directives string }{
		{"in silence", "delay=1h"},
		{"mid-stream", "tokens=100000,every=20ms"},
	}
	type leaver struct {
		name, model string
		conn        *net.TCPConn
		leave       func(c *net.TCPConn) error
	}
	var leavers []leaver
	var models []string
	for i := range protocols {
		p := &protocols[i]
		for _, phase := range phases {
			for _, way := range ways {
				l := leaver{name: p.name + " " + phase.name + ": " + way.name, leave: way.leave}
				l.model = fmt.Sprintf("socket-%d!%s", len(leavers), phase.directives)
				l.conn = dial(t, g.data)
				writeRequest(t, l.conn, p.path, p.body("north/"+l.model, true))
				leavers, models = append(leavers, l), append(models, l.model)
			}
		}
	}
	waitForModels(t, g.north, models)
	for _, l := range leavers {
		if strings.Contains(l.model, "tokens") {
			readUntil(t, l.conn, "Octopus")
		}
	}
	left := make([]time.Time, len(leavers))
	for i, l := range leavers {
		left[i] = time.Now()
		if err := l.leave(l.conn); err != nil {
			t.Fatalf("%s: %v", l.name, err)
		}
	}
	for i, l := range leavers {
		checkLeft(t, g.north, l.name, l.model, left[i])
	}
	return len(leavers)
}

// waitForModels waits until the provider has a request for each model.
func waitForModels(t *testing.T, p *gatewaytest.Provider, models []string) {
	t.Helper()
	log, err := p.Wait(patient(t), func(log []gatewaytest.Exchange) bool {
		for _, model := range models {
			if find(log, model) == nil {
				return false
			}
		}
		return true
	})
	if err != nil {
		t.Fatalf("%d requests reached the provider, want %d: %v", len(log), len(models), err)
	}
}

// checkLeft checks that the provider saw the connection of a request closed in time.
func checkLeft(t *testing.T, p *gatewaytest.Provider, name, model string, left time.Time) {
	t.Helper()
	log, err := p.Wait(patient(t), func(log []gatewaytest.Exchange) bool {
		e := find(log, model)
		return e != nil && e.End != gatewaytest.EndRunning
	})
	if err != nil {
		t.Errorf("%s: the upstream connection stays open: %v", name, err)
		return
	}
	if e := find(log, model); e.End != gatewaytest.EndLeft || e.Ended.Sub(left) > leaveLimit {
		t.Errorf("%s: upstream %v %v after the client left, want left within %v", name, e.End, e.Ended.Sub(left), leaveLimit)
	}
}

// find returns the exchange that asked for a model, or nil.
func find(log []gatewaytest.Exchange, model string) *gatewaytest.Exchange {
	at := slices.IndexFunc(log, func(e gatewaytest.Exchange) bool { return e.Model == model })
	if at < 0 {
		return nil
	}
	return &log[at]
}
