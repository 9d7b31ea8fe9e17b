package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// wreck changes the files of a database that match a pattern, of logs the one in use.
func (d *durable) wreck(t *testing.T, pattern string, change func(text []byte) []byte) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(d.database, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no file %s: %v", pattern, err)
	}
	if pattern == "*.log" {
		files = files[len(files)-1:] // their names are sorted
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(file, change(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// flipped returns a change of some bytes, from a place on that is told as a part of the whole.
func flipped(from float64) func([]byte) []byte {
	return func(text []byte) []byte {
		at := int(float64(len(text)) * from)
		for i := at; i < min(at+64, len(text)); i++ {
			text[i] ^= 0xff
		}
		return text
	}
}

func TestDamageFaults(t *testing.T) {
	proves(t, "F42", "torn or garbled tail of the log: starts, configuration intact, totals equal the rows; damaged table, manifest or middle of the "+
		"log: exit code 1 and a line that names the file")
	for _, test := range []struct {
		name, pattern string
		// killed leaves the log as it is at work; else the process ends well, and a second one puts all into tables.
		killed bool
		change func([]byte) []byte
		// named is part of what a process says that can't start, empty when it must. A garbled log with nothing whole behind the
		// damage can't be told from a torn one.
		named string
	}{
		{"half of the log's last record is missing", "*.log", true, func(text []byte) []byte { return trimmed(text, 20) }, ""},
		{"garbage behind the log", "*.log", true, func(text []byte) []byte { return append(trimmed(text, 0), "half a record"...) }, ""},
		{"the middle of the log is garbled", "*.log", true, func(text []byte) []byte { return flipped(0.5)(trimmed(text, 0)) }, ".log"},
		{"the log is garbled near its beginning", "*.log", true, func(text []byte) []byte { return flipped(0.1)(trimmed(text, 0)) }, ".log"},
		{"a table is garbled", "*.sst", false, func(text []byte) []byte { return flipped(0)(flipped(0.5)(text)) }, ".sst"},
		{"a table is short", "*.sst", false, func(text []byte) []byte { return text[:len(text)/2] }, ".sst"},
		{"the manifest is garbled", "MANIFEST-*", false, flipped(0.3), "MANIFEST-"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDurable(t, t.TempDir(), 20*time.Millisecond)
			g := d.start(t)
			_, _, asked := latencies(t, g)
			if test.killed {
				g.kill(t)
			} else {
				g.terminate(t, patience)
				d.start(t).terminate(t, patience)
			}
			d.wreck(t, test.pattern, test.change)
			if test.named != "" && !(test.killed && d.opens(t)) {
				said := d.failsToStart(t)
				if !strings.Contains(said, test.named) || strings.Count(said, "octopus: ") != 1 || strings.Count(said, "\n") > 2 {
					t.Errorf("it says\n%s\nwant a line that names %s", said, test.named)
				}
				return
			}
			s := d.open(t)
			b := newBook()
			b.read(t, s)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if test.named == "" && b.total() == 0 {
				t.Errorf("all of %d rows are lost", asked)
			}
			// The configuration is the database's: there is no file.
			d.file = "{}"
			next := d.start(t)
			if got := next.post(t.Context(), &protocols[0], protocols[0].body("octo-1", false)); got.status != 200 {
				t.Errorf("afterwards: %v", got)
			}
		})
	}
}

// trimmed returns the records of a log without the zeros that were allocated in advance, and without so many bytes of the last.
func trimmed(text []byte, without int) []byte {
	end := len(text)
	for end > 0 && text[end-1] == 0 {
		end--
	}
	return text[:end-without]
}
