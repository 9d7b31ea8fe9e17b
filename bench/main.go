package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == roleArgument {
		os.Exit(runRole(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// errFailed is returned when all was measured, but answers were incomplete or wrong.
var errFailed = errors.New("some answers were incomplete or wrong, see FAILED")

// run measures what args ask for and writes the report to stdout, progress to stderr. All processes that it starts have
// ended when it returns.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := readOptions(args, stderr)
	if err != nil {
		return err
	}
	if o.dir, err = os.MkdirTemp("", "octopus-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(o.dir)
	if err := o.findOctopus(ctx, stderr); err != nil {
		return err
	}
	r := newReport(o)
	r.writeHead(stdout)
	if slices.Contains(o.scenarios, startName) {
		samples, err := measureStart(ctx, o, stderr)
		if err != nil {
			return err
		}
		r.addStart(samples).write(stdout)
	}
	for _, sc := range scenarios {
		if !slices.Contains(o.scenarios, sc.name) {
			continue
		}
		ways, err := measure(ctx, o, sc, stderr)
		if err != nil {
			return err
		}
		r.add(o, sc, ways).write(stdout)
	}
	if o.jsonPath != "" {
		if err := r.save(o.jsonPath); err != nil {
			return err
		}
	}
	if r.failed() {
		return errFailed
	}
	return nil
}

// findOctopus sees to it that there is a binary, if one is to be measured.
func (o *options) findOctopus(ctx context.Context, progress io.Writer) (err error) {
	switch {
	case !slices.Contains(o.targets, octopusWay):
		return nil
	case o.binary == "":
		fmt.Fprintln(progress, "building octopus")
		o.binary, err = buildOctopus(ctx, o.dir)
	default: // children have a working directory of their own
		o.binary, err = filepath.Abs(o.binary)
	}
	return err
}
