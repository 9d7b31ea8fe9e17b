package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// options are the flags, and what run adds to them.
type options struct {
	scenarios []string
	targets   []string
	dialect   *dialect
	upstream  *dialect // what Octopus's channel speaks
	// rounds is 1 to maxRounds, duration of one measurement up to maxDuration.
	rounds   int
	duration time.Duration
	// conns and streams are from 1 to maxConns and maxStreams.
	conns, streams int
	// jsonPath is where the samples go, empty for nowhere.
	jsonPath string
	// dir is a directory for this run alone, binary the Octopus to measure.
	dir, binary string
}

// Bounds of the flags, so that a slip can't keep a machine busy for hours.
const (
	maxRounds   = 50
	maxDuration = time.Minute
	maxConns    = 1000
	maxStreams  = 8000
)

// startName is the scenario that starts gateways and leaves them idle.
const startName = "start"

// readOptions parses flags. It returns flag.ErrHelp when help was asked for and has been printed to usage.
func readOptions(args []string, usage io.Writer) (*options, error) {
	o := &options{}
	names := []string{startName}
	for _, sc := range scenarios {
		names = append(names, sc.name)
	}
	var protocols []string
	for _, d := range dialects {
		protocols = append(protocols, d.name)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(usage)
	chosen := flags.String("scenario", "all", "all, or some of "+strings.Join(names, ","))
	targets := flags.String("targets", strings.Join(targetNames, ","), "which ways to measure")
	protocol := flags.String("protocol", protocols[0], "one of "+strings.Join(protocols, ", "))
	upstream := flags.String("upstream", "", "the protocol of Octopus's channel, so that it converts (default that of -protocol)")
	flags.IntVar(&o.rounds, "rounds", 5, "how often each way is measured")
	flags.DurationVar(&o.duration, "duration", 3*time.Second, "how long one measurement takes")
	flags.IntVar(&o.conns, "conns", 64, "connections of closed loops, and most requests at once of open ones")
	flags.IntVar(&o.streams, "streams", 2000, "how many paced streams are open at once")
	flags.StringVar(&o.jsonPath, "json", "", "write every sample to this file")
	flags.StringVar(&o.binary, "octopus", "", "measure this binary instead of building one")
	quick := flags.Bool("quick", false, "one short round with few streams: shows that all works, its figures mean little")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if *quick {
		o.rounds, o.duration, o.streams = 1, 300*time.Millisecond, 100
	}
	o.dialect = findDialect(*protocol)
	if *upstream == "" {
		*upstream = *protocol
	}
	o.upstream = findDialect(*upstream)
	o.scenarios, o.targets = strings.Split(*chosen, ","), strings.Split(*targets, ",")
	if *chosen == "all" {
		o.scenarios = names
	}
	return o, errors.Join(
		known("-scenario", o.scenarios, names),
		known("-targets", o.targets, targetNames),
		known("-protocol", []string{*protocol}, protocols),
		known("-upstream", []string{*upstream}, protocols),
		within("-rounds", o.rounds, maxRounds),
		within("-duration", o.duration, maxDuration),
		within("-conns", o.conns, maxConns),
		within("-streams", o.streams, maxStreams),
		extra(flags.Args()),
	)
}

// known returns an error when one of chosen is not in all.
func known(flag string, chosen, all []string) error {
	for _, one := range chosen {
		if !slices.Contains(all, one) {
			return fmt.Errorf("%s: %q is none of %s", flag, one, strings.Join(all, ", "))
		}
	}
	return nil
}

// within returns an error when value is not above zero or exceeds most.
func within[T int | time.Duration](flag string, value, most T) error {
	if value <= 0 || value > most {
		return fmt.Errorf("%s: %v is not above 0 and at most %v", flag, value, most)
	}
	return nil
}

// extra returns an error when arguments are left behind the flags.
func extra(args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	return nil
}
