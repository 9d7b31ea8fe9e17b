package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"

	"octopus/gateway/gatewaytest"
)

// roleArgument, as the first argument, makes this program one of the processes that are measured. Such a process lives
// until its stdin ends: however the bench itself ends, ctrl-C, a panic and kill -9 included, the pipe ends with it.
const roleArgument = "role"

// What a role prints first.
const (
	listeningLine = "listening on "
	guardingLine  = "guarding "
)

// runRole runs the role that args name and returns the exit code.
func runRole(args []string) int {
	// Ctrl-C goes to every process of a terminal. It is for the bench to decide what follows.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	var err error
	switch {
	case len(args) == 2 && args[0] == "provider":
		err = provide(args[1])
	case len(args) == 3 && args[0] == "fasthttp":
		err = serveProxy(args[1], findDialect(args[2]))
	case len(args) >= 2 && args[0] == "guard":
		err = guard(args[1], args[2:])
	default:
		err = fmt.Errorf("unknown role %q", args)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// provide runs the scripted provider.
func provide(script string) error {
	p, err := startProvider(script)
	if err != nil {
		return err
	}
	defer p.Close()
	fmt.Println(listeningLine + providerAddress(p))
	return untilStdinEnds()
}

// startProvider starts a provider that keeps no log.
func startProvider(script string) (*gatewaytest.Provider, error) {
	return gatewaytest.Start(gatewaytest.Options{Script: script, NoLog: true})
}

// providerAddress returns host and port.
func providerAddress(p *gatewaytest.Provider) string {
	return strings.TrimPrefix(p.Origin(), "http://")
}

// serveProxy runs the minimal proxy.
func serveProxy(upstream string, d *dialect) error {
	p, err := startProxy(upstream, d)
	if err != nil {
		return err
	}
	fmt.Println(listeningLine + p.address())
	err = untilStdinEnds()
	if closeErr := p.close(); err == nil {
		err = closeErr
	}
	return err
}

func untilStdinEnds() error {
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// guard runs a program that doesn't know about our stdin, and kills it when that ends. It prints the program's process id
// and when it was started, in nanoseconds since 1970.
func guard(path string, args []string) error {
	command := exec.Command(path, args...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	started := time.Now()
	if err := command.Start(); err != nil {
		return err
	}
	fmt.Printf("%s%d %d\n", guardingLine, command.Process.Pid, started.UnixNano())
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	stdin := make(chan error, 1)
	go func() { stdin <- untilStdinEnds() }()
	select {
	case err := <-ended:
		return fmt.Errorf("%s ended by itself: %w", path, err)
	case err := <-stdin:
		// It may have ended in this moment; then there is nothing to kill.
		_ = command.Process.Kill()
		<-ended
		return err
	}
}
