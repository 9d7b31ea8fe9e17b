// Package octopus_test guards the layout of the module; the packages themselves are below cmd, gateway, codec and so on.
package octopus_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// module is the module path, and the prefix of every package of ours.
const module = "octopus"

// floors says on which floor each package lives. Imports only go down: a package may import those on lower floors, not
// its neighbours. A new package gets its line here, with the reason where it is not obvious.
var floors = map[string]int{
	"cmd/octopus":     6, // wires everything
	"cmd/octopus/e2e": 6, // only tests, of the binary through official SDKs
	"bench":           6, // measures the whole thing from outside

	"bench/reliability": 6, // writes the page of what tests have shown

	"admin": 5, // shows what the floors below know; meets the gateway only in cmd

	"admin/requestlog": 4, // rows
	"admin/stats":      4, // sums; the rows they are sums of are its neighbour's

	"gateway":     3, // relays; works without admin and sync, whose seams it declares
	"sync/prices": 3, // what models cost, from outside

	"codec":               2, // one type, Bridge, over the protocol packages
	"admin/store":         2, // the only one that knows Pebble
	"gateway/gatewaytest": 2, // the scripted provider, for tests, bench and demo

	"codec/chat":      1, // one package per wire protocol; they never see each other
	"codec/messages":  1,
	"codec/responses": 1,
	"gateway/config":  1, // plain data for everyone: what is configured
	"gateway/outcome": 1, // plain data for everyone: what happened
	"gateway/dial":    1, // dialing and the address policy, for the relay and the syncs alike

	"codec/llm":    0, // the neutral words
	"codec/sse":    0, // framing of event streams
	"codec/json":   0, // the one door to sonic
	"codec/tokens": 0, // counts texts; knows no request
	"lb":           0, // indexes and weights; knows no channel
}

// owners says which packages may import each third-party module. A module that is not listed may not be imported: adding
// it is a decision (CONTRIBUTING.md). Heavy ones have one owner, so that they can be replaced in one place.
var owners = map[string][]string{
	"github.com/bytedance/sonic":         {"codec/json"},     // native code and unsafe strings stay behind named functions
	"github.com/alecthomas/kong":         {"cmd/octopus"},    // the command line is no one else's business
	"go.yaml.in/yaml":                    {"gateway/config"}, // the declarative file is read in one place
	"github.com/cockroachdb/pebble":      {"admin/store"},    // one writer, one batch, one format on disk
	"github.com/redis/go-redis":          {"sync/replica"},   // the gateway must work without Redis
	"github.com/tsenart/vegeta":          {"bench"},          // a load generator has no place in the binary
	"github.com/fasthttp/router":         {"admin"},          // the data port has a dozen fixed paths and no router
	"github.com/VictoriaMetrics/metrics": {"gateway"},        // metric names are written in full in one file
	"golang.org/x/sys":                   {"gateway"},        // the sweeper's poll
	"golang.org/x/crypto":                {"admin"},          // Argon2id, for the password of the panel
	// The 200 000 words of o200k_base, embedded, and their byte pair encoding; it brings one module, of regular expressions.
	"github.com/tiktoken-go/tokenizer": {"codec/tokens"},
	// The format of records on disk: tagged fields, of which a newer version may add some.
	"google.golang.org/protobuf": {"admin/stats", "admin/requestlog"},
	// The catalog of prices in the binary; its tables are what is wanted, and its client comes along.
	"charm.land/catwalk": {"sync/prices"},
	// Request bodies in gzip and zstd; the provider sends them too.
	"github.com/klauspost/compress": {"gateway", "gateway/gatewaytest"},
	// The one HTTP stack, on both ports, upstream, and for the check of the local server.
	"github.com/valyala/fasthttp": {"gateway", "gateway/gatewaytest", "gateway/dial", "admin", "sync/prices", "cmd/octopus", "bench"},
}

// houses are the parts that never import each other; cmd/octopus is where they meet.
var houses = []string{"gateway", "admin", "sync"}

// shared are the packages of one house that the others may import, because they are plain data or plain dialing.
var shared = []string{"gateway/config", "gateway/outcome", "gateway/dial"}

// goPackage is what "go list -json" says about one package. Imports are those of the package itself: tests may import
// what they like (a scripted provider, an SDK), they ship nothing.
type goPackage struct {
	Dir        string
	ImportPath string
	Name       string
	Standard   bool
	Module     *struct{ Path string }
	GoFiles    []string
	Imports    []string
	Deps       []string
}

// packages returns every package that the module builds from, its own and others', by import path.
func packages(t *testing.T) map[string]goPackage {
	t.Helper()
	all, err := list()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return all
}

var list = sync.OnceValues(func() (map[string]goPackage, error) {
	command := exec.Command("go", "list", "-deps", "-json=Dir,ImportPath,Name,Standard,Module,GoFiles,Imports,Deps", "./...")
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return nil, err
	}
	all := make(map[string]goPackage)
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all[p.ImportPath] = p
	}
})

// own returns the packages of the module by their path below its root. Those that hold only tests, as the root does, are
// left out.
func own(all map[string]goPackage) map[string]goPackage {
	ours := make(map[string]goPackage)
	for importPath, p := range all {
		if below, ok := strings.CutPrefix(importPath, module+"/"); ok && len(p.GoFiles) > 0 {
			ours[below] = p
		}
	}
	return ours
}

// house returns which of houses a package belongs to, or "".
func house(below string) string {
	top, _, _ := strings.Cut(below, "/")
	if slices.Contains(houses, top) {
		return top
	}
	return ""
}

// owner returns the listed module that an import path belongs to, or "".
func owner(importPath string) string {
	for listed := range owners {
		if importPath == listed || strings.HasPrefix(importPath, listed+"/") {
			return listed
		}
	}
	return ""
}

func TestImportsGoDown(t *testing.T) {
	ours := own(packages(t))
	if len(ours) == 0 {
		t.Fatal("go list names no package of the module")
	}
	for below, p := range ours {
		floor, listed := floors[below]
		if !listed {
			t.Errorf("%s has no floor; give it one in floors", below)
			continue
		}
		for _, imported := range p.Imports {
			target, ok := strings.CutPrefix(imported, module+"/")
			if !ok {
				continue
			}
			if floors[target] >= floor {
				t.Errorf("%s (floor %d) imports %s (floor %d); imports only go down", below, floor, target, floors[target])
			}
			from, to := house(below), house(target)
			if from != "" && to != "" && from != to && !slices.Contains(shared, target) {
				t.Errorf("%s imports %s; %s and %s meet only in cmd/octopus", below, target, from, to)
			}
		}
	}
	for below := range floors {
		if _, exists := ours[below]; !exists {
			t.Errorf("floors lists %s, which does not exist", below)
		}
	}
}

func TestDependenciesHaveTheirOwner(t *testing.T) {
	all := packages(t)
	for below, p := range own(all) {
		for _, imported := range p.Imports {
			dependency := all[imported]
			if dependency.Standard || dependency.Module == nil || dependency.Module.Path == module {
				continue
			}
			switch listed := owner(imported); {
			case listed == "":
				t.Errorf("%s imports %s, which has no owner; see owners", below, imported)
			case !slices.Contains(owners[listed], below):
				t.Errorf("%s imports %s, which only %v may", below, imported, owners[listed])
			}
		}
	}
}

func TestBinaryHoldsNoTestCode(t *testing.T) {
	p, ok := packages(t)[module+"/cmd/octopus"]
	if !ok {
		t.Fatal("go list does not name cmd/octopus")
	}
	// The scripted provider is part of the binary (demo) and so must not import testing, whose flags would be Octopus's.
	for _, banned := range []string{"testing", "net/http/pprof", module + "/bench"} {
		if slices.Contains(p.Deps, banned) {
			t.Errorf("cmd/octopus depends on %s", banned)
		}
	}
}

func TestPackagesAreNamedAndDocumented(t *testing.T) {
	for below, p := range own(packages(t)) {
		base := path.Base(below)
		switch base {
		case "util", "utils", "common", "helper", "helpers", "misc":
			t.Errorf("%s: %q says nothing; name the idea", below, base)
		default:
			if p.Name != base && p.Name != "main" {
				t.Errorf("%s: package is called %s", below, p.Name)
			}
		}
		doc, err := os.ReadFile(filepath.Join(p.Dir, "doc.go"))
		if err != nil {
			t.Errorf("%s: %v", below, err)
			continue
		}
		if text := string(doc); !strings.HasPrefix(text, "// Package "+base+" ") && !strings.HasPrefix(text, "// Command "+base+" ") {
			t.Errorf("%s: doc.go does not begin with what %s is", below, base)
		}
	}
}
