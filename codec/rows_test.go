package codec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// rowsOf are how many rows the lists of the specification have that testdata/README.md says the places of.
var rowsOf = []struct {
	list string
	rows int
}{{"F", 186}, {"E", 121}}

// rowLine is a line of the lists, rowPlace what stands in backquotes of its last column.
var (
	rowLine  = regexp.MustCompile(`(?m)^\| ([EF]) (\d+) \| [^|]+ \| ([^|]+) \|$`)
	rowPlace = regexp.MustCompile("`([^`]+)`")
	aTest    = regexp.MustCompile(`^([\w/]+)\.((?:Test|Fuzz)\w+)$`)
)

// TestRowsHaveTheirPlace holds testdata/README.md to the facts: every row is there, in order, and what it names exists.
func TestRowsHaveTheirPlace(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	lines := rowLine.FindAllStringSubmatch(string(text), -1)
	for _, list := range rowsOf {
		for row := 1; row <= list.rows; row++ {
			if len(lines) == 0 || lines[0][1] != list.list || lines[0][2] != fmt.Sprint(row) {
				t.Fatalf("row %s %d is missing, or not in its place", list.list, row)
			}
			column := lines[0][3]
			lines = lines[1:]
			places := rowPlace.FindAllStringSubmatch(column, -1)
			if len(places) == 0 {
				t.Errorf("row %s %d has no place", list.list, row)
			}
			for _, p := range places {
				if err := exists(p[1]); err != nil {
					t.Errorf("row %s %d: %v", list.list, row, err)
				}
			}
		}
	}
	if len(lines) > 0 {
		t.Errorf("there are rows too many, %s %s on", lines[0][1], lines[0][2])
	}
}

// exists returns an error when there is no vector, or test, of that name.
func exists(name string) error {
	test := aTest.FindStringSubmatch(name)
	if test == nil {
		_, err := os.Stat(filepath.Join("testdata", filepath.FromSlash(name)+".in"))
		return err
	}
	files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(test[1]), "*_test.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if strings.Contains(string(source), "\nfunc "+test[2]+"(") {
			return nil
		}
	}
	return fmt.Errorf("there is no test %s", name)
}
