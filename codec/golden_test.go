package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"octopus/codec/llm"
)

var update = flag.Bool("update", false, "rewrite the expected files of the golden vectors")

// tags are the protocols in the names of the vectors' folders, client first.
var tags = map[string]llm.Protocol{"cc": llm.Chat, "rs": llm.Responses, "am": llm.Messages}

// vector is one golden vector, testdata/<client>-<target>/<kind>/<name>: .in goes into the bridge, .out is what the
// client or the upstream must get of it, byte by byte, .note is what else the bridge must say. A .json file beside
// them changes the settings.
type vector struct {
	path           string // without extension
	kind           string // req, res, sse or err
	client, target llm.Protocol
	in             []byte
	settings
}

// settings are what a vector's .json file may say.
type settings struct {
	// Request is the client's request behind an answer. A stream of the model my-group by default.
	Request json.RawMessage `json:"request"`
	// Params is the channel's patch.
	Params json.RawMessage `json:"params"`
	// Model is the target's model, upstream-model by default.
	Model string `json:"model"`
	// AnswerModel is what answers report.
	AnswerModel string `json:"answer_model"`
	// Cause is why the upstream's stream ends: eof, cut or stalled.
	Cause string `json:"cause"`
}

// vectors returns all golden vectors of some kinds.
func vectors(t testing.TB, kinds ...string) (all []vector) {
	t.Helper()
	for _, kind := range kinds {
		paths, err := filepath.Glob(filepath.Join("testdata", "*-*", kind, "*.in"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no vectors of kind %s: %v", kind, err)
		}
		for _, path := range paths {
			all = append(all, readVector(t, strings.TrimSuffix(path, ".in"), kind))
		}
	}
	return all
}

func readVector(t testing.TB, path, kind string) vector {
	t.Helper()
	client, target, _ := strings.Cut(filepath.Base(filepath.Dir(filepath.Dir(path))), "-")
	v := vector{path: path, kind: kind, client: tags[client], target: tags[target]}
	v.Request = json.RawMessage(`{"model":"my-group","stream":true}`)
	v.Model = "upstream-model"
	var err error
	if v.in, err = os.ReadFile(path + ".in"); err != nil {
		t.Fatal(err)
	}
	switch text, err := os.ReadFile(path + ".json"); {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		t.Fatal(err)
	default:
		if err := json.Unmarshal(text, &v.settings); err != nil {
			t.Fatalf("%s.json: %v", path, err)
		}
	}
	return v
}

func (v *vector) String() string {
	return filepath.ToSlash(strings.TrimPrefix(v.path, "testdata"+string(os.PathSeparator)))
}

// start returns a bridge that has appended the vector's request, and the appended bytes.
func (v *vector) start(t testing.TB, body []byte) (Bridge, []byte) {
	t.Helper()
	var r Request
	if err := r.Peek(v.client, body); err != nil {
		t.Fatalf("the request is refused: %v", err)
	}
	r.AnswerModel = v.AnswerModel
	params, err := CompileParams(v.Params)
	if err != nil {
		t.Fatal(err)
	}
	b := Acquire(v.client, v.target)
	out, err := b.AppendRequest([]byte("> "), &r, &Target{Protocol: v.target, Model: v.Model, Params: params})
	if err != nil {
		t.Fatal(err)
	}
	return b, out[2:]
}

// cause returns why the vector's stream ends.
func (v *vector) cause() Cause {
	switch v.Cause {
	case "cut":
		return Cut
	case "stalled":
		return Stalled
	}
	return EOF
}

// compare holds got against the file with that extension, or rewrites the file.
func (v *vector) compare(t *testing.T, extension string, got []byte) {
	t.Helper()
	file := v.path + extension
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\ngot\n%s\nwant\n%s", file, got, want)
	}
}

// note describes what a bridge says at the end of an answer.
func note(b Bridge, step Step) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "step: %s\n", [...]string{"hold", "commit", "end", "failed", "again"}[step])
	u := b.Usage()
	fmt.Fprintf(&out, "usage: %s input=%d cache_read=%d cache_write=%d/%d output=%d reasoning=%d\n", u.Knowledge,
		u.Input, u.CacheRead, u.CacheWrite5m, u.CacheWrite1h, u.Output, u.Reasoning)
	if e := b.Failure(); e != nil {
		fmt.Fprintf(&out, "failure: %s\n", describe(e))
	}
	return out.Bytes()
}

// describe returns all that an error says.
func describe(e *llm.Error) string {
	return fmt.Sprintf("%s status=%d type=%q code=%q param=%q %q",
		kindNames[e.Kind], e.Status, e.Type, e.Code, e.Param, e.Message)
}

var kindNames = map[llm.ErrorKind]string{
	llm.Internal: "internal", llm.InvalidRequest: "invalid request", llm.ContextLength: "context length",
	llm.ContentPolicy: "content policy", llm.Authentication: "authentication", llm.Permission: "permission",
	llm.Billing: "billing", llm.NotFound: "not found", llm.Method: "method", llm.Conflict: "conflict",
	llm.TooLarge: "too large", llm.HeaderTooLarge: "header too large", llm.MediaType: "media type",
	llm.RateLimit: "rate limit", llm.Upstream: "upstream", llm.Timeout: "timeout", llm.Overloaded: "overloaded",
	llm.Unavailable: "unavailable",
}

// relay feeds a stream to b as the gateway does: what is held waits for the first real event and is dropped when the
// attempt fails before it; a failure after it becomes an error event.
func relay(b Bridge, cause Cause, pieces ...[]byte) (sent []byte, last Step) {
	var held []byte
	committed := false
	take := func(out []byte, step Step) bool {
		held = append(held, out...)
		last = step
		if committed = committed || step == Commit || step == End; committed {
			sent = append(sent, held...)
			held = held[:0]
		}
		return step == End || step == Failed
	}
	ended := false
	for _, piece := range pieces {
		if ended = take(b.Feed(nil, piece)); ended {
			break
		}
	}
	if !ended {
		take(b.Finish(nil, cause))
	}
	if last == Failed && committed {
		sent = b.AppendError(sent, b.Failure())
	}
	return sent, last
}

func TestGoldenRequests(t *testing.T) {
	for _, v := range vectors(t, "req") {
		t.Run(v.String(), func(t *testing.T) {
			b, out := v.start(t, v.in)
			defer Release(b)
			v.compare(t, ".out", out)
			if !json.Valid(out) {
				t.Error("the request is not valid JSON any more")
			}
		})
	}
}

func TestGoldenAnswers(t *testing.T) {
	for _, v := range vectors(t, "res") {
		t.Run(v.String(), func(t *testing.T) {
			b, _ := v.start(t, v.Request)
			defer Release(b)
			out, step := b.Answer(nil, v.in)
			v.compare(t, ".out", out)
			v.compare(t, ".note", note(b, step))
			if appended, again := b.Answer([]byte("> "), v.in); string(appended) != "> "+string(out) || again != step {
				t.Errorf("behind other bytes: got %q, step %d", appended, again)
			}
		})
	}
}

func TestGoldenErrors(t *testing.T) {
	for _, v := range vectors(t, "err") {
		t.Run(v.String(), func(t *testing.T) {
			number, _, _ := strings.Cut(filepath.Base(v.path), "_")
			status, err := strconv.Atoi(number)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := v.start(t, v.Request)
			defer Release(b)
			out, e := b.Reject(nil, status, v.in)
			v.compare(t, ".out", out)
			v.compare(t, ".note", fmt.Appendf(nil, "error: %s\nclient's status: %d\n", describe(e), ErrorStatus(v.client, e)))
		})
	}
}

// TestGoldenStreams runs every stream a byte at a time, as one blob, and cut in two at every byte.
func TestGoldenStreams(t *testing.T) {
	for _, v := range vectors(t, "sse") {
		t.Run(v.String(), func(t *testing.T) {
			run := func(pieces ...[]byte) (sent, said []byte, last Step) {
				b, _ := v.start(t, v.Request)
				defer Release(b)
				sent, last = relay(b, v.cause(), pieces...)
				return sent, note(b, last), last
			}
			var single [][]byte
			for i := range v.in {
				single = append(single, v.in[i:i+1])
			}
			sent, said, _ := run(single...)
			v.compare(t, ".out", sent)
			v.compare(t, ".note", said)
			check := func(how string, pieces ...[]byte) {
				gotSent, gotSaid, last := run(pieces...)
				// A failure that arrives together with the first content is one before the commit: nobody has seen it.
				unseen := last == Failed && len(gotSent) == 0
				if !bytes.Equal(gotSaid, said) || !bytes.Equal(gotSent, sent) && !unseen {
					t.Errorf("%s:\ngot\n%s%s\nwant\n%s%s", how, gotSent, gotSaid, sent, said)
				}
			}
			check("one blob", v.in)
			for i := 0; i < len(v.in); i += cutStep {
				check(fmt.Sprintf("cut at byte %d", i), v.in[:i], v.in[i:])
			}
		})
	}
}
