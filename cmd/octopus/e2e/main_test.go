package e2e

import (
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen before it gives up. It is no part of any promise.
const patience = 20 * time.Second

// binary is the path of the octopus that the tests run. TestMain builds it.
var binary string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "octopus-e2e-")
	if err != nil {
		log.Print(err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "octopus")
	// Without the race detector, also when the tests have it: the promises in time are the product's.
	if out, err := exec.Command("go", "build", "-o", binary, "octopus/cmd/octopus").CombinedOutput(); err != nil {
		log.Printf("go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}
