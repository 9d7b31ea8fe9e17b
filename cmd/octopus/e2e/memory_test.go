package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// peakMemory returns the most resident memory that the process has had, in bytes.
func (p *process) peakMemory(t *testing.T) int64 {
	t.Helper()
	return p.memory(t, "VmHWM")
}

// residentMemory returns the resident memory of the process, in bytes.
func (p *process) residentMemory(t *testing.T) int64 {
	t.Helper()
	return p.memory(t, "VmRSS")
}

// memory reads a size from /proc (proc_pid_status(5)).
func (p *process) memory(t *testing.T, name string) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			if _, err := fmt.Sscanf(value, "%d kB", &kib); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			return kib << 10
		}
	}
	t.Fatalf("no %s in %s", name, status)
	return 0
}

// mebibytes shows a size.
func mebibytes(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
