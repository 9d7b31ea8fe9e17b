package main

import (
	"bytes"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

const (
	// requestMemory is what one request is reckoned with: an open stream needs 42 KiB, and one that is converted about four
	// times its body, of 50 KB here. As much again is garbage.
	requestMemory = 512 << 10
	// bodyShare is the part of the memory that the bodies of large requests may have. What is made from them needs several
	// times that.
	bodyShare = 8
	// assumedMemory is reckoned with where the system tells nothing.
	assumedMemory = 1 << 30
	// leastInFlight and mostInFlight bound what is derived; who wants something else says so.
	leastInFlight, mostInFlight = 64, 1 << 16
)

// useMemory finds out how much memory the process may use, and has the collector work harder near the end of it, unless
// GOMEMLIMIT has said when: otherwise the kernel would end the process for its garbage.
func useMemory() int64 {
	goLimit := debug.SetMemoryLimit(-1)
	memory := memoryLimit(os.DirFS("/"), goLimit)
	switch {
	case memory == math.MaxInt64:
		return assumedMemory
	case goLimit == math.MaxInt64:
		debug.SetMemoryLimit(memory / 10 * 9)
	}
	return memory
}

// defaultMaxInFlight derives --max-in-flight from the memory that the process may use.
func defaultMaxInFlight(memory int64) int {
	return int(min(max(memory/requestMemory, leastInFlight), mostInFlight))
}

// memoryLimit returns how many bytes the process may use: the least of goLimit (GOMEMLIMIT), the limits of its control
// groups (container, systemd) and the machine's memory. math.MaxInt64 is none. Root is the file system.
func memoryLimit(root fs.FS, goLimit int64) int64 {
	return min(goLimit, machineMemory(root), groupLimit(root))
}

// machineMemory reads MemTotal, as proc_meminfo(5) has it.
func machineMemory(root fs.FS) int64 {
	text, _ := fs.ReadFile(root, "proc/meminfo")
	_, after, _ := bytes.Cut(text, []byte("MemTotal:"))
	fields := bytes.Fields(after)
	if len(fields) == 0 {
		return math.MaxInt64
	}
	n, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64>>10 {
		return math.MaxInt64
	}
	return n << 10
}

// groupLimit returns the least limit among the control groups of the process and those above them, of version 2
// (cgroups(7); memory.max) and 1 (memory.limit_in_bytes). Inside a container the path that the process is told may be the
// host's, which is not there: the mounted root is the container's own group then.
func groupLimit(root fs.FS) int64 {
	limit := int64(math.MaxInt64)
	text, _ := fs.ReadFile(root, "proc/self/cgroup")
	for line := range strings.Lines(string(text)) {
		_, controllersAndPath, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, ok := strings.Cut(controllersAndPath, ":")
		mount, file := "sys/fs/cgroup", "memory.max"
		if controllers != "" {
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		}
		if !ok || controllers != "" && !strings.Contains(","+controllers+",", ",memory,") {
			continue
		}
		for group = path.Clean("/" + group); ; group = path.Dir(group) {
			limit = min(limit, readLimit(root, path.Join(mount, group, file)))
			if group == "/" {
				break
			}
		}
	}
	return limit
}

// readLimit reads a file that holds a number of bytes, or "max".
func readLimit(root fs.FS, name string) int64 {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return math.MaxInt64
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || n <= 0 {
		return math.MaxInt64
	}
	return n
}
