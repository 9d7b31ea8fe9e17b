package main

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestDrainUnderOpenStreams(t *testing.T) {
	proves(t, "F43", "SIGTERM under 100 open streams: not ready, served during the delay, then no new connections, every stream whole, exit 0")
	const streams = 100
	file := write(t, "octopus.yaml", testConfig(startProvider(t), "m"))
	p := start(t, nil, "start", "--config="+file, "--drain-delay=1500ms", "--drain-timeout=60s")

	// 80 tokens at 50 ms: the streams outlive the delay by seconds.
	open := make([]*openStream, streams)
	errs := make([]error, streams)
	var opening sync.WaitGroup
	for i := range open {
		opening.Go(func() {
			open[i], errs[i] = calls("up/scripted!tokens=80,every=50ms", true)[i%3].open(t.Context(), p.data)
		})
	}
	opening.Wait()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("stream %d: %v", i, err)
		}
	}
	ended := make(chan struct{})
	texts := make([]string, streams)
	var reading sync.WaitGroup
	for i, s := range open {
		reading.Go(func() { texts[i], errs[i] = s.rest() })
	}
	go func() {
		reading.Wait()
		close(ended)
	}()

	p.signal(syscall.SIGTERM)
	eventually(t, "not ready after SIGTERM", func() bool {
		status, _ := get("http://" + p.data + "/readyz")
		return status == 503
	})
	// Within the delay requests are still served, and told to go elsewhere next time.
	response, err := calls("m", false)[0].send(t.Context(), p.data)
	if err != nil {
		t.Fatalf("request during the delay: %v", err)
	}
	response.Body.Close()
	if response.StatusCode != 200 || !response.Close {
		t.Errorf("request during the delay: status %d, close %v; want 200 and Connection: close", response.StatusCode, response.Close)
	}
	if status, _ := get("http://" + p.admin + "/readyz"); status != 503 {
		t.Errorf("admin /readyz while draining: %d, want 503", status)
	}
	// Behind the delay nobody gets in, while the streams go on.
	eventually(t, "no new connections", func() bool {
		conn, err := net.Dial("tcp", p.data)
		if err != nil {
			return true
		}
		conn.Close()
		return false
	})
	select {
	case <-ended:
		t.Error("the streams had ended when the listener closed, so the drain was not tried")
	default:
	}

	<-ended
	for i, text := range texts {
		if fault := open[i].fault(text, 80); errs[i] != nil || fault != "" {
			t.Fatalf("stream %d: %v, %s", i, errs[i], fault)
		}
	}
	if got := p.exitCode(); got != 0 {
		t.Errorf("exit code %d, want 0; log:\n%s", got, p.log.all())
	}
}

func TestDrainTimeoutEndsStreamsWithAnError(t *testing.T) {
	file := write(t, "octopus.yaml", testConfig(startProvider(t), "m"))
	p := start(t, nil, "start", "--config="+file, "--drain-timeout=300ms")
	var open []*openStream
	for _, c := range calls("up/scripted!tokens=10000,every=100ms", true) {
		s, err := c.open(t.Context(), p.data)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, s)
	}
	p.signal(syscall.SIGTERM)
	for _, s := range open {
		text, err := s.rest()
		// Chat has no other end than [DONE], behind an error too.
		normal := strings.Contains(text, s.whole) && s.whole != "[DONE]"
		if err != nil || normal || !strings.Contains(text, s.failed) {
			t.Errorf("%s: %v, want an error event and no normal end; tail %q", s.path, err, text[max(0, len(text)-300):])
		}
	}
	if got := p.exitCode(); got != 1 {
		t.Errorf("exit code %d, want 1: requests were ended", got)
	}
	if log := p.log.all(); !strings.Contains(log, "--drain-timeout 300ms") {
		t.Errorf("log does not say why:\n%s", log)
	}
}

func TestSecondSignalExitsAtOnce(t *testing.T) {
	p := start(t, nil, "start", "--drain-delay=1h")
	p.signal(syscall.SIGTERM)
	p.waitLog("draining", "")
	p.signal(syscall.SIGHUP) // is no second one
	p.signal(syscall.SIGINT)
	p.waitLog("second signal", "")
	if got := p.exitCode(); got != 1 {
		t.Errorf("exit code %d, want 1", got)
	}
}

func TestIdleServerStopsCleanly(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			p := start(t, nil, "start")
			// A kept-alive connection that waits for its next request holds nothing up.
			conn, err := net.Dial("tcp", p.data)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
			if _, err := conn.Read(make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
			p.signal(signal)
			if got := p.exitCode(); got != 0 {
				t.Errorf("exit code %d, want 0; log:\n%s", got, p.log.all())
			}
		})
	}
}
