package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// faultyBinary is the path of an octopus whose disk has faults on demand (admin/store's disk_faulty.go).
var faultyBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(filepath.Dir(binary), "octopus-faultydisk")
	out, err := exec.Command("go", "build", "-tags", "faultydisk", "-o", path, "octopus/cmd/octopus").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// brokenDisk is a disk that a test fills, or breaks in another way.
type brokenDisk struct {
	dir string
	// begin and end are the fault.
	begin, end func()
}

// scriptedDisk returns a disk with a fault of admin/store's disk_faulty.go. The process must be of faultyBinary.
func scriptedDisk(t *testing.T, fault string) brokenDisk {
	t.Helper()
	control := filepath.Join(t.TempDir(), "fault")
	t.Setenv("FAULTYDISK", control)
	write := func(text string) {
		// In one step, or half of it would be read.
		next := control + ".next"
		if err := errors.Join(os.WriteFile(next, []byte(text), 0o600), os.Rename(next, control)); err != nil {
			t.Fatal(err)
		}
	}
	return brokenDisk{t.TempDir(), func() { write(fault) }, func() { write("") }}
}

// smallDisk returns a tmpfs that begin fills. Without the right to mount one, it is a scripted disk and says so.
func smallDisk(t *testing.T) (disk brokenDisk, real bool) {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=32m"); err != nil {
		fmt.Printf("F41: NO SMALL TMPFS (mount: %v; root is needed): the full disk is played inside the process instead\n", err)
		return scriptedDisk(t, "full"), false
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	filler := filepath.Join(dir, "filler")
	return brokenDisk{dir, func() {
		f, err := os.Create(filler)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		// Large pieces first, then what is left.
		for _, size := range []int{1 << 20, 4096} {
			for {
				if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
		}
	}, func() {
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
	}}, true
}

// startFaulty is start with the binary whose disk has faults.
func (d *durable) startFaulty(t *testing.T, args ...string) *gateway {
	t.Helper()
	path, err := faultyBinary()
	if err != nil {
		t.Fatal(err)
	}
	usual := binary
	binary = path
	defer func() { binary = usual }()
	return d.start(t, args...)
}

// latencies asks one after the other, so that nothing but the gateway's own work is measured, and returns the median and the
// longest but one in a hundred.
func latencies(t *testing.T, g *gateway) (p50, p99 time.Duration, n int) {
	t.Helper()
	l := startLoad(t.Context(), g, 1, "octo-1")
	eventually(t, "1000 answers", func() bool { return l.count() >= 1000 })
	var all []time.Duration
	for _, a := range l.end() {
		all = append(all, a.took)
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*99/100], len(all)
}

// eventually waits until what happens does.
func eventually(t *testing.T, what string, happens func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(patience)
	for !happens() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		}
	}
}

// sleepless is how much slower a request may be while the disk fails: what a busy machine does to one by itself.
const sleepless = 20 * time.Millisecond

// refusedModel is one that nobody serves, as long as names may be.
var refusedModel = strings.Repeat("no-such-model-", 18)

func TestDiskFaults(t *testing.T) {
	evidence := proves(t, "F41", "")
	for _, fault := range []struct {
		name, alarm, recovery string
		// drops is whether enough waits to be dropped.
		drops bool
		disk  func(t *testing.T) (disk brokenDisk, real bool)
	}{
		{"full", "takes no writes", "takes writes again", true, smallDisk},
		{"read-only", "takes no writes", "takes writes again", false,
			func(t *testing.T) (brokenDisk, bool) { return scriptedDisk(t, "readonly"), false }},
		{"fsync of 5 s", "disk is slow", "disk is quick again", false,
			func(t *testing.T) (brokenDisk, bool) { return scriptedDisk(t, "slow"), false }},
	} {
		t.Run(fault.name, func(t *testing.T) {
			disk, real := fault.disk(t)
			d := newDurable(t, disk.dir, 100*time.Millisecond)
			start := d.startFaulty
			if real {
				start = d.start
			}
			g := start(t)
			wellP50, wellP99, asked := latencies(t, g)

			disk.begin()
			begun := time.Now()
			// Refusals make rows at little cost. What is there of the disk already is filled first.
			l := startLoad(t.Context(), g, 4, refusedModel)
			eventually(t, "an alarm", func() bool { return strings.Contains(g.log.all(), fault.alarm) })
			asked += len(l.end())
			p50, p99, n := latencies(t, g)
			asked += n
			if p50 > 2*wellP50+sleepless/10 || p99 > 2*wellP99+sleepless {
				t.Errorf("median %v, p99 %v; before %v, %v", p50, p99, wellP50, wellP99)
			}
			if fault.drops {
				l := startLoad(t.Context(), g, 8, refusedModel)
				eventually(t, "rows are dropped", func() bool { return g.metrics(t)["octopus_ledger_dropped_total"] > 0 })
				asked += len(l.end())
			}
			memory := g.residentMemory(t)
			disk.end()
			if _, ok := g.log.wait(fault.recovery); !ok {
				t.Fatalf("no recovery; log:\n%s", g.log.all())
			}
			lasted := time.Since(begun)
			_, _, n = latencies(t, g)
			asked += n
			// What was on its way when a load ended may have left rows, too.
			const aborted = 16
			dropped := g.settledMetrics(t)["octopus_ledger_dropped_total"]
			if dropped > 0 {
				for _, text := range []string{"are dropped", "recorded again"} {
					if _, ok := g.log.wait(text); !ok {
						t.Errorf("no log line with %q; log:\n%s", text, g.log.all())
					}
				}
			}
			peak := g.peakMemory(t)
			g.terminate(t, patience)
			s := d.open(t)
			defer s.Close()
			b := newBook()
			b.read(t, s)
			if accounted := b.total() + int(dropped); accounted < asked || accounted > asked+aborted {
				t.Errorf("%d rows and %v dropped of %d answers", b.total(), dropped, asked)
			}
			*evidence += fmt.Sprintf("%s for %v: median %v (%v before), p99 %v (%v), %v of %d rows dropped, %s resident, at most %s; ", fault.name,
				lasted.Round(time.Millisecond), p50, wellP50, p99, wellP99, dropped, asked, mebibytes(memory), mebibytes(peak))
		})
	}
	t.Run("SIGTERM with a full disk", func(t *testing.T) {
		disk, real := smallDisk(t)
		d := newDurable(t, disk.dir, 100*time.Millisecond)
		start := d.startFaulty
		if real {
			start = d.start
		}
		g := start(t)
		latencies(t, g)
		disk.begin()
		latencies(t, g)
		took := g.terminate(t, 15*time.Second)
		if real {
			if said := d.failsToStart(t); !strings.Contains(said, "the disk is full") || strings.Count(said, "\n") != 1 {
				t.Errorf("a start on a full disk says\n%s\nwant one line about it", said)
			}
		}
		disk.end()
		// What was written before is as it was.
		next := start(t)
		latencies(t, next)
		next.terminate(t, patience)
		s := d.open(t)
		defer s.Close()
		b := newBook()
		b.read(t, s)
		if b.total() < 2000 {
			t.Errorf("%d rows, want those of before and after", b.total())
		}
		*evidence += fmt.Sprintf("SIGTERM ends in %v and the next start is well", took.Round(time.Millisecond))
	})
}

// terminate ends a process with SIGTERM, which must take no longer than that and leave exit code 0.
func (p *process) terminate(t *testing.T, within time.Duration) time.Duration {
	t.Helper()
	begun := time.Now()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(within):
		t.Fatalf("the process still runs %v after SIGTERM; log:\n%s", within, p.log.all())
	}
	if code := p.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d; log:\n%s", code, p.log.all())
	}
	return time.Since(begun)
}
