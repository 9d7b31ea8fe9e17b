package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// absent stands in tables for what was not measured.
const absent = "–"

// writeTable writes lines under a head, in columns.
func writeTable(out io.Writer, head []string, lines [][]string) {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	for _, line := range append([][]string{head}, lines...) {
		fmt.Fprintln(table, strings.Join(line, "\t"))
	}
	_ = table.Flush() // a report that can't be written has no reader who misses it
}

// text returns "median (lowest–highest)" with that many digits behind the point.
func (s *spread) text(digits int) string {
	switch {
	case s == nil:
		return absent
	case s.Min == s.Max:
		return fmt.Sprintf("%.*f", digits, s.Median)
	}
	return fmt.Sprintf("%.*f (%.*f–%.*f)", digits, s.Median, digits, s.Min, digits, s.Max)
}

// count returns a count, which is absent when it is zero.
func count(n int) string {
	if n == 0 {
		return absent
	}
	return strconv.Itoa(n)
}

func milliText(d time.Duration) string { return fmt.Sprintf("%.2f", milliseconds(d)) }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }
