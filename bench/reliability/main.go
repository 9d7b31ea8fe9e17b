package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go test -v … | reliability PAGE")
		os.Exit(2)
	}
	failed, err := run(os.Stdin, os.Stdout, os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "reliability:", err)
		os.Exit(1)
	}
	if failed > 0 {
		fmt.Fprintf(os.Stderr, "reliability: %d rows failed\n", failed)
		os.Exit(1)
	}
}

// run reads the output of tests, writes the page, and returns how many rows failed. An error leaves the page as it was.
func run(in io.Reader, out io.Writer, page string) (failed int, err error) {
	found, err := readVerdicts(in, out)
	if err != nil {
		return 0, err
	}
	text, failed := appendPage(nil, rows(), found)
	return failed, os.WriteFile(page, text, 0o644)
}
