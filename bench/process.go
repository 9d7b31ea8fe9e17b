package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

// process is a process of this machine, by its id. What its methods tell is read from /proc
// (https://man7.org/linux/man-pages/man5/proc.5.html), so they fail on systems without it. Zero is no process.
type process int

// cpuTime returns the CPU time that all threads of the process have used so far, in user and in kernel mode. The kernel
// counts it in clock ticks, 10 ms each as a rule.
func (p process) cpuTime() (time.Duration, error) {
	perSecond, err := clockTicks()
	if err != nil {
		return 0, err
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
	if err != nil {
		return 0, err
	}
	ticks, err := usedTicks(stat)
	if err != nil {
		return 0, fmt.Errorf("/proc/%d/stat: %w", p, err)
	}
	return time.Duration(ticks) * time.Second / time.Duration(perSecond), nil
}

// usedTicks returns utime + stime of a stat file. The command's name stands in parentheses and may itself hold spaces and
// parentheses, so that fields count from the last one.
func usedTicks(stat []byte) (int64, error) {
	const (
		utime = 14 - 3 // fields are numbered from 1, and the first behind the name is 3
		stime = 15 - 3
	)
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, errors.New("no command in parentheses")
	}
	fields := bytes.Fields(stat[end+1:])
	if len(fields) <= stime {
		return 0, fmt.Errorf("only %d fields behind the command", len(fields))
	}
	var sum int64
	for _, field := range [...]int{utime, stime} {
		ticks, err := strconv.ParseInt(string(fields[field]), 10, 64)
		if err != nil {
			return 0, err
		}
		sum += ticks
	}
	return sum, nil
}

// clockTicks returns how many clock ticks a second has.
var clockTicks = sync.OnceValues(func() (int64, error) {
	vector, err := os.ReadFile("/proc/self/auxv")
	if err != nil {
		return 0, err
	}
	return ticksPerSecond(vector)
})

// ticksPerSecond returns AT_CLKTCK of an auxiliary vector, which is what sysconf(_SC_CLK_TCK) tells C programs
// (https://man7.org/linux/man-pages/man3/getauxval.3.html): pairs of a type and a value, one machine word each.
func ticksPerSecond(vector []byte) (int64, error) {
	const (
		clockTick = 17 // AT_CLKTCK
		word      = strconv.IntSize / 8
	)
	read := func(b []byte) int64 {
		if word == 8 {
			return int64(binary.NativeEndian.Uint64(b))
		}
		return int64(binary.NativeEndian.Uint32(b))
	}
	for len(vector) >= 2*word {
		if read(vector) == clockTick {
			if ticks := read(vector[word:]); ticks > 0 {
				return ticks, nil
			}
			break
		}
		vector = vector[2*word:]
	}
	return 0, errors.New("the auxiliary vector does not tell the clock tick")
}

// memory is what a process holds, in bytes.
type memory struct {
	// RSS counts shared pages in full, PSS divides them among the processes that share them.
	RSS, PSS int64
}

// memory returns what the process holds now.
func (p process) memory() (memory, error) {
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p))
	if err != nil {
		return memory{}, err
	}
	m, err := parseRollup(rollup)
	if err != nil {
		return memory{}, fmt.Errorf("/proc/%d/smaps_rollup: %w", p, err)
	}
	return m, nil
}

// parseRollup reads a smaps_rollup file, whose lines look like "Rss:   1676 kB".
func parseRollup(rollup []byte) (memory, error) {
	m := memory{RSS: -1, PSS: -1}
	for line := range bytes.Lines(rollup) {
		fields := bytes.Fields(line)
		if len(fields) != 3 || string(fields[2]) != "kB" {
			continue
		}
		var into *int64
		switch string(fields[0]) {
		case "Rss:":
			into = &m.RSS
		case "Pss:":
			into = &m.PSS
		default:
			continue
		}
		kib, err := strconv.ParseInt(string(fields[1]), 10, 64)
		if err != nil {
			return memory{}, err
		}
		*into = kib << 10
	}
	if m.RSS < 0 || m.PSS < 0 {
		return memory{}, errors.New("no Rss or no Pss")
	}
	return m, nil
}

// descriptors returns how many files and sockets the process has open.
func (p process) descriptors() (int, error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p))
	return len(entries), err
}
