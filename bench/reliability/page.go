package main

import (
	_ "embed" // rows.txt
	"fmt"
	"strings"
)

// row is a line of rows.txt: what happens, and what must come of it. A heading has no name.
type row struct{ name, fault, required string }

//go:embed rows.txt
var rowsText string

// rows returns the rows and headings of the page in their order.
func rows() []row {
	var all []row
	for line := range strings.SplitSeq(strings.TrimSpace(rowsText), "\n") {
		if heading, ok := strings.CutPrefix(line, "# "); ok {
			all = append(all, row{fault: heading})
			continue
		}
		fields := strings.SplitN(line, " | ", 3)
		if len(fields) != 3 {
			panic("BUG: rows.txt: " + line)
		}
		all = append(all, row{fields[0], fields[1], fields[2]})
	}
	return all
}

const intro = `# What Octopus survives

One line per fault, from the output of the tests that inject it into the real binary. Written by ` + "`make faults`" + `, which
runs the rows in their heavy form; ` + "`make test`" + ` runs each in a short one.
`

// appendPage appends the page and returns how many of its rows failed.
func appendPage(dst []byte, all []row, found map[string]*verdict) (page []byte, failed int) {
	dst = append(dst, intro...)
	for _, r := range all {
		if r.name == "" {
			dst = fmt.Appendf(dst, "\n## %s\n\n| row | verdict | requirement | evidence |\n|---|---|---|---|\n", r.fault)
			continue
		}
		said, evidence := "not there yet", ""
		if v := found[r.name]; v != nil {
			said, evidence = "pass", strings.Join(v.evidence, "; ")
			if v.failed {
				said = "fail"
				failed++
			}
		}
		evidence = strings.ReplaceAll(evidence, "|", `\|`)
		dst = fmt.Appendf(dst, "| %s | %s | %s: %s | %s |\n", r.name, said, r.fault, r.required, evidence)
	}
	return dst, failed
}
