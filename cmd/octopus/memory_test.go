package main

import (
	"math"
	"runtime/debug"
	"testing"
	"testing/fstest"
)

func TestMemoryLimitIsTheLeastThatHolds(t *testing.T) {
	const meminfo = "MemTotal:        8000000 kB\nMemFree:         100 kB\n"
	for _, c := range []struct {
		name    string
		files   map[string]string
		goLimit int64
		want    int64
	}{
		{"nothing is known", nil, math.MaxInt64, math.MaxInt64},
		{"GOMEMLIMIT alone", nil, 100 << 20, 100 << 20},
		{"the machine", map[string]string{"proc/meminfo": meminfo}, math.MaxInt64, 8_000_000 << 10},
		{"GOMEMLIMIT below the machine", map[string]string{"proc/meminfo": meminfo}, 1 << 30, 1 << 30},
		{"GOMEMLIMIT above the machine", map[string]string{"proc/meminfo": meminfo}, 1 << 40, 8_000_000 << 10},
		{"a container", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "268435456\n"},
			math.MaxInt64, 256 << 20},
		{"a container that is told the host's path", map[string]string{"proc/meminfo": meminfo,
			"proc/self/cgroup": "0::/docker/abc\n", "sys/fs/cgroup/memory.max": "268435456\n"}, math.MaxInt64, 256 << 20},
		{"a service without a limit of its own", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/system.slice/octopus.service\n",
			"sys/fs/cgroup/system.slice/octopus.service/memory.max": "max\n", "sys/fs/cgroup/system.slice/memory.max": "1073741824\n"}, math.MaxInt64, 1 << 30},
		{"a group below another", map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "1000000\n",
			"sys/fs/cgroup/a/memory.max": "2000000\n"}, math.MaxInt64, 1_000_000},
		{"version 1", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/y\n",
			"sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "536870912\n"}, math.MaxInt64, 512 << 20},
		{"version 1 without a limit", map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "4:memory:/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, math.MaxInt64, 8_000_000 << 10},
		{"files that make no sense", map[string]string{"proc/meminfo": "MemTotal: x", "proc/self/cgroup": "x\n0::../..\n:\n",
			"sys/fs/cgroup/memory.max": "-1"}, math.MaxInt64, math.MaxInt64},
	} {
		root := fstest.MapFS{}
		for name, text := range c.files {
			root[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if got := memoryLimit(root, c.goLimit); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func TestRequestsAtOnceFollowFromMemory(t *testing.T) {
	for memory, want := range map[int64]int{1 << 20: 64, 256 << 20: 512, 1 << 30: 2048, 16 << 30: 32768, 1 << 40: 65536} {
		if got := defaultMaxInFlight(memory); got != want {
			t.Errorf("%d MiB: got %d, want %d", memory>>20, got, want)
		}
	}
}

func TestCollectorIsTold(t *testing.T) {
	before := debug.SetMemoryLimit(math.MaxInt64)
	defer debug.SetMemoryLimit(before)
	memory := useMemory()
	if memory < 16<<20 {
		t.Fatalf("this machine has %d bytes", memory)
	}
	if told := debug.SetMemoryLimit(-1); told != memory/10*9 && memory != assumedMemory {
		t.Errorf("the collector has %d of %d bytes", told, memory)
	}
	// What GOMEMLIMIT says stays.
	debug.SetMemoryLimit(1 << 30)
	if got := useMemory(); got > 1<<30 || debug.SetMemoryLimit(-1) != 1<<30 {
		t.Errorf("got %d", got)
	}
}
