package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestReportShowsTheStart(t *testing.T) {
	r := newReport(tiny())
	var out bytes.Buffer
	r.writeHead(&out)
	r.addStart([]startSample{
		{Ready: 90 * time.Millisecond, Octopus: holding{RSS: 20 << 20, PSS: 19 << 20, Descriptors: 9, Goroutines: 11}},
		{Ready: 70 * time.Millisecond, Octopus: holding{RSS: 22 << 20, PSS: 19 << 20, Descriptors: 9, Goroutines: 11}},
	}).write(&out)
	for _, want := range []string{"80.0 (70.0–90.0)", "21.0 (20.0–22.0)", "ready in less than 200ms; measured 80 ms"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	if r.Start.FloorRSS != nil {
		t.Errorf("the minimal proxy was not measured, and holds %v", r.Start.FloorRSS)
	}
}
