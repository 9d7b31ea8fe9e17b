package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// report is the file of -json.
type report struct {
	Date     time.Time     `json:"date"`
	Machine  machine       `json:"machine"`
	Protocol string        `json:"protocol"`
	Rounds   int           `json:"rounds"`
	Duration time.Duration `json:"duration"`
	Conns    int           `json:"conns"`
	Streams  int           `json:"streams"`
	Start    *startReport  `json:"start,omitempty"`
	Loads    []*loadReport `json:"scenarios,omitempty"`
}

// machine is where it was measured.
type machine struct {
	CPU    string `json:"cpu"`
	CPUs   int    `json:"cpus"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
}

func newReport(o *options) *report {
	return &report{
		Date:     time.Now().UTC().Truncate(time.Second),
		Machine:  thisMachine(),
		Protocol: o.dialect.name,
		Rounds:   o.rounds,
		Duration: o.duration,
		Conns:    o.conns,
		Streams:  o.streams,
	}
}

// thisMachine describes the machine that this runs on. What /proc doesn't tell is empty.
func thisMachine() machine {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return machine{
		CPU:    cpuModel(),
		CPUs:   runtime.NumCPU(),
		Kernel: string(bytes.TrimSpace(kernel)),
		Go:     runtime.Version(),
	}
}

// cpuModel returns the name of the first CPU, or "".
func cpuModel() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range bytes.Lines(info) {
		name, value, _ := strings.Cut(string(line), ":")
		if strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// writeHead writes what all tables have in common.
func (r *report) writeHead(out io.Writer) {
	m := &r.Machine
	fmt.Fprintf(out, "%s, %d × %s, Linux %s, %s\n", r.Date.Format(time.DateTime), m.CPUs, m.CPU, m.Kernel, m.Go)
	fmt.Fprintf(out, "%s, %d rounds of %v, %d connections, %d streams; median (lowest–highest round)\n",
		r.Protocol, r.Rounds, r.Duration, r.Conns, r.Streams)
}

// save writes the report as JSON.
func (r *report) save(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// failed reports whether any answer was not as it should be.
func (r *report) failed() bool {
	for _, load := range r.Loads {
		for _, one := range load.Ways {
			if one.Failed > 0 {
				return true
			}
		}
	}
	return false
}
