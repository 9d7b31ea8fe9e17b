package sdktest

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// demoKey is the API key of every demo (cmd/octopus/demo.go).
const demoKey = "sk-octopus-demo-5eafood5eafood5eafood"

// patience is how long a test waits for what must happen before it gives up. It is no part of any promise.
const patience = time.Minute

// origin is the data port of the demo that the tests call. TestMain starts it.
var origin string

func TestMain(m *testing.M) {
	os.Exit(startAndRun(m))
}

func startAndRun(m *testing.M) int {
	binary, remove, err := buildBinary()
	if err != nil {
		log.Print(err)
		return 1
	}
	defer remove()
	demo := exec.Command(binary, "demo", "--server-host=127.0.0.1", "--server-port=0", "--admin-port=0")
	stderr, err := demo.StderrPipe()
	if err != nil {
		log.Print(err)
		return 1
	}
	if err := demo.Start(); err != nil {
		log.Print(err)
		return 1
	}
	defer func() {
		_ = demo.Process.Kill()
		_ = demo.Wait() // it was killed
	}()
	lines := bufio.NewScanner(stderr)
	for origin == "" {
		if !lines.Scan() {
			log.Print("the demo ended before it listened")
			return 1
		}
		if _, address, ok := strings.Cut(lines.Text(), `msg="data port listening" addr=`); ok {
			origin = "http://" + strings.Trim(address, `"`)
		}
	}
	go func() {
		for lines.Scan() {
			fmt.Fprintln(os.Stderr, lines.Text())
		}
	}()
	return m.Run()
}

// buildBinary returns the path of octopus and what removes it again.
func buildBinary() (path string, remove func(), err error) {
	if path := os.Getenv("OCTOPUS_BINARY"); path != "" {
		return path, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "octopus-sdktest-")
	if err != nil {
		return "", nil, err
	}
	path = filepath.Join(dir, "octopus")
	build := exec.Command("go", "build", "-o", path, "./cmd/octopus")
	build.Dir = filepath.Join("..", "..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return "", nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, func() { os.RemoveAll(dir) }, nil
}
