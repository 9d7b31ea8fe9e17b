package main

import (
	"encoding/binary"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestUsedTicks(t *testing.T) {
	// Fields 4 to 52 are 4 to 52, but utime (14) and stime (15), which are larger than any other.
	var rest []string
	for i := 4; i <= 52; i++ {
		rest = append(rest, strconv.Itoa(i))
	}
	rest[14-4], rest[15-4] = "1200", "345"
	tail := " S " + strings.Join(rest, " ") + "\n"
	for _, command := range []string{"octopus", "a b", "x) 1 2 3 (y", "(", ")"} {
		got, err := usedTicks([]byte("77 (" + command + ")" + tail))
		if err != nil || got != 1545 {
			t.Errorf("command %q: got %d, %v; want 1545", command, got, err)
		}
	}
	for name, stat := range map[string]string{
		"empty":             "",
		"no command":        "77 octopus S 1 2 3",
		"too few fields":    "77 (octopus) S 1 2 3 4 5 6 7 8 9 10 11",
		"time not a number": "77 (octopus) S 4 5 6 7 8 9 10 11 12 13 x 15 16\n",
	} {
		if got, err := usedTicks([]byte(stat)); err == nil {
			t.Errorf("%s: got %d, want an error", name, got)
		}
	}
}

func TestTicksPerSecond(t *testing.T) {
	vector := func(words ...uint64) (b []byte) {
		for _, w := range words {
			if strconv.IntSize == 64 {
				b = binary.NativeEndian.AppendUint64(b, w)
			} else {
				b = binary.NativeEndian.AppendUint32(b, uint32(w))
			}
		}
		return b
	}
	if got, err := ticksPerSecond(vector(33, 17, 6, 4096, 17, 250, 0, 0)); err != nil || got != 250 {
		t.Errorf("got %d, %v; want 250", got, err)
	}
	for name, b := range map[string][]byte{
		"empty":           nil,
		"without ticks":   vector(6, 4096, 0, 0),
		"ticks are zero":  vector(17, 0),
		"value cut short": vector(17),
	} {
		if got, err := ticksPerSecond(b); err == nil {
			t.Errorf("%s: got %d, want an error", name, got)
		}
	}
}

func TestParseRollup(t *testing.T) {
	const rollup = "561b93f38000-7fff17d45000 ---p 00000000 00:00 0   [rollup]\nRss:    1676 kB\nPss:     240 kB\n" +
		"Pss_Dirty:   116 kB\nShared_Clean:  1520 kB\nSwapPss:   9 kB\n"
	got, err := parseRollup([]byte(rollup))
	if want := (memory{RSS: 1676 << 10, PSS: 240 << 10}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for _, bad := range []string{"", "Rss: 1 kB\n", "Pss: 1 kB\n", "Rss: x kB\nPss: 1 kB\n"} {
		if got, err := parseRollup([]byte(bad)); err == nil {
			t.Errorf("%q: got %+v, want an error", bad, got)
		}
	}
}

func TestProcessSeesItself(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux's /proc")
	}
	p := process(os.Getpid())
	before, err := p.cpuTime()
	if err != nil {
		t.Fatal(err)
	}
	// Work until the kernel has counted some: a loop that is bounded by its effect, and by the test's timeout.
	used, started := time.Duration(0), time.Now()
	for used < 30*time.Millisecond {
		for range 100_000 {
			runtime.KeepAlive(started)
		}
		now, err := p.cpuTime()
		if err != nil {
			t.Fatal(err)
		}
		used = now - before
	}
	if most := time.Since(started) * time.Duration(runtime.NumCPU()+1); used > most+time.Second {
		t.Errorf("used %v of CPU in at most %v", used, most)
	}
	m, err := p.memory()
	if err != nil || m.RSS < 1<<20 || m.PSS > m.RSS || m.PSS <= 0 {
		t.Errorf("memory is %+v, %v", m, err)
	}
	files, err := p.descriptors()
	if err != nil || files < 3 {
		t.Errorf("%d descriptors, %v", files, err)
	}
	none := process(1 << 30)
	if _, err := none.cpuTime(); err == nil {
		t.Error("a process that can't be has CPU time")
	}
}
