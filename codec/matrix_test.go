package codec

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// matrixFile is the page for users that TestMatrix makes of the golden vectors.
const matrixFile = "MATRIX.md"

// matrixHead is the beginning of the page.
const matrixHead = `# What conversion keeps

Octopus takes a request in OpenAI Chat Completions, OpenAI Responses or Anthropic Messages, and sends it to an upstream of
any of the three. Between equal protocols the bytes pass as they are. This page is about the six other pairs: what becomes
of each feature of a request, and of each feature of an answer.

- **exact**: it arrives with the same meaning.
- **approximated**: it arrives with a meaning that is close, and not the same.
- **emulated**: the upstream has nothing like it, Octopus makes it up.
- **dropped**: it does not arrive.
- **refused**: the request is answered with status 400 that names the field, or 404 for what is not known.

Whatever is dropped or approximated in a request stands in the header ` + "`x-octopus-warnings`" + ` of its answer. The channel option
` + "`convert.strict`" + ` refuses such requests instead. A feature that stands in a table twice depends on the model, the channel's
options or the values; the last column has the cases.

The page is generated from the golden vectors in [testdata](testdata) by ` + "`go test ./codec -run TestMatrix -update`" + `, and a test
fails when it is out of date. A row is there because a vector shows it: the last column names the files, with their cases
behind a colon. What no vector shows, this page doesn't say.
`

// The verdicts, in the order of the tables.
var verdicts = []string{"exact", "approximated", "emulated", "dropped", "refused"}

// protocolNames are what users call the protocols, by their tags.
var protocolNames = map[string]string{
	"cc": "OpenAI Chat Completions", "rs": "OpenAI Responses", "am": "Anthropic Messages",
}

// issueName is what the name of a vector looks like that guards against a known bug: the project that had it, the number of
// its issue, and what was wrong. ownNumbers are features with a number in their names.
var issueName, ownNumbers = regexp.MustCompile(`^[a-z0-9_]+?_\d+_`), regexp.MustCompile(`^(max_tokens|temperature|context)_`)

// guardsBug reports whether a vector is there because of a bug of another gateway.
func guardsBug(v *vector) bool {
	name := filepath.Base(v.path)
	return issueName.MatchString(name) && !ownNumbers.MatchString(name)
}

// finding is a row of a table.
type finding struct{ feature, verdict string }

// findings are the rows of a table with the vectors that show them.
type findings map[finding][]string

func (f findings) add(feature, verdict, vector string) {
	key := finding{strings.ReplaceAll(feature, "|", `\|`), verdict}
	if !slices.Contains(f[key], vector) {
		f[key] = append(f[key], vector)
	}
}

// read takes in what the note of one vector, or of one case of it, says. name is what the vector is about.
func (f findings) read(v *vector, name, shown string, said []byte) {
	exact := true
	note := func(feature, verdict string) {
		f.add(feature, verdict, shown)
		exact = false
	}
	for line := range strings.Lines(string(said)) {
		line = strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "warnings: ")
		switch {
		case strings.HasPrefix(line, "dropped="), strings.HasPrefix(line, "approx="):
			for _, part := range strings.Split(line, "; ") {
				kind, fields, _ := strings.Cut(part, "=")
				for _, field := range strings.Split(fields, ",") {
					note("`"+field+"`", map[string]string{"dropped": "dropped", "approx": "approximated"}[kind])
				}
			}
		case strings.HasPrefix(line, "refused: "):
			_, param, _ := strings.Cut(line, ` param="`)
			param, _, _ = strings.Cut(param, `"`)
			if param == "" {
				param = name
			} else {
				param = "`" + index.ReplaceAllString(param, "") + "`"
			}
			note(param, "refused")
		case strings.HasPrefix(line, "stop enforced: "):
			note("stop sequences, looked for by the gateway", "emulated")
		case strings.HasPrefix(line, "answer by tool: "):
			note("JSON by a schema, through a tool", "emulated")
		case line == "step: failed":
			exact = false // an error is no feature
		}
	}
	for _, feature := range slices.Sorted(maps.Keys(v.Shows)) {
		note(feature, v.Shows[feature])
	}
	if exact && !guardsBug(v) {
		f.add(name, "exact", shown)
	}
}

// readVector takes in a vector with all of its cases.
func (f findings) readVector(t *testing.T, v *vector) {
	t.Helper()
	for _, verdict := range v.Shows {
		if !slices.Contains(verdicts[1:4], verdict) {
			t.Errorf("%v: an answer is not %s", v, verdict)
		}
	}
	said, err := os.ReadFile(v.path + ".note")
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	base := filepath.Base(v.path)
	name, shown := strings.ReplaceAll(base, "_", " "), v.kind+"/"+base
	if len(v.Cases) == 0 {
		f.read(v, name, shown, said)
		return
	}
	sections := map[string][]byte{}
	for _, section := range bytes.Split(append([]byte("\n"), said...), []byte("\n# ")) {
		title, rest, _ := bytes.Cut(section, []byte("\n"))
		sections[string(title)] = rest
	}
	for i := range v.Cases {
		title := v.Cases[i].Name
		f.read(v, name, shown+": "+title, sections[title])
	}
}

// appendTo appends the findings as a table.
func (f findings) appendTo(page *bytes.Buffer) {
	page.WriteString("| feature | what becomes of it | shown by |\n|---|---|---|\n")
	rows := slices.Collect(maps.Keys(f))
	slices.SortFunc(rows, func(a, b finding) int {
		if n := slices.Index(verdicts, a.verdict) - slices.Index(verdicts, b.verdict); n != 0 {
			return n
		}
		return strings.Compare(a.feature, b.feature)
	})
	const most = 4
	for _, row := range rows {
		shown := f[row]
		slices.Sort(shown)
		more := ""
		if len(shown) > most {
			more = fmt.Sprintf(" and %d more", len(shown)-most)
			shown = shown[:most]
		}
		list := strings.ReplaceAll(strings.Join(shown, ", "), "|", `\|`)
		fmt.Fprintf(page, "| %s | %s | %s%s |\n", row.feature, row.verdict, list, more)
	}
}

// TestMatrix keeps MATRIX.md as the golden vectors have it.
func TestMatrix(t *testing.T) {
	page := bytes.NewBufferString(matrixHead)
	for _, client := range []string{"cc", "rs", "am"} {
		for _, target := range []string{"cc", "rs", "am"} {
			if client == target {
				continue
			}
			requests, answers, counts := findings{}, findings{}, map[string]int{}
			for _, kind := range []string{"req", "res", "sse", "err"} {
				paths, err := filepath.Glob(filepath.Join("testdata", client+"-"+target, kind, "*.in"))
				if err != nil || len(paths) == 0 {
					t.Fatalf("no vectors of %s-%s/%s: %v", client, target, kind, err)
				}
				counts[kind] = len(paths)
				for _, path := range paths {
					v := readVector(t, strings.TrimSuffix(path, ".in"), kind)
					if guardsBug(&v) {
						counts["regressions"]++
					}
					switch kind {
					case "req":
						requests.readVector(t, &v)
					case "res", "sse":
						answers.readVector(t, &v)
					}
				}
			}
			fmt.Fprintf(page, "\n## %s client, %s upstream\n\n", protocolNames[client], protocolNames[target])
			fmt.Fprintf(page, "%d requests, %d whole answers, %d streams and %d errors; %d of them guard against bugs known of "+
				"other gateways.\n", counts["req"], counts["res"], counts["sse"], counts["err"], counts["regressions"])
			page.WriteString("\n### Requests\n\n")
			requests.appendTo(page)
			page.WriteString("\n### Answers\n\n")
			answers.appendTo(page)
		}
	}
	if *update {
		if err := os.WriteFile(matrixFile, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, page.Bytes()) {
		t.Errorf("%s is out of date: run go test ./codec -run TestMatrix -update", matrixFile)
	}
}
