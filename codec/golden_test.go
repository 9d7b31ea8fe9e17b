package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
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
// them changes the settings, or has several cases of one request (see golden_request_test.go).
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
	// Options are the channel's options of conversion that differ from the default, by their names in snake case.
	Options map[string]json.RawMessage `json:"options"`
	// Capabilities is what is known of the model.
	Capabilities struct {
		ContextWindow int64 `json:"context_window"`
		MaxOutput     int64 `json:"max_output"`
	} `json:"capabilities"`
	// Sealer names whose envelopes the target opens. Without it there are none.
	Sealer *struct {
		Family  string `json:"family"`
		Channel string `json:"channel"`
	} `json:"sealer"`
	// Memory is what is remembered of earlier answers to the client, by default nothing.
	Memory *memory `json:"memory"`
	// Rejected is the upstream's answer to the request, behind which the gateway asks once more: the .out is that request.
	Rejected string `json:"rejected"`
	// Refused is whether the request must be refused: there is no .out then, and the error stands in the .note.
	Refused bool `json:"refused"`
	// Shows says what of an answer is not converted exactly, and what becomes of it: approximated, emulated or dropped.
	// MATRIX.md has it.
	Shows map[string]string `json:"shows"`
	// Cases are variants of a request. The .out and the .note then have one section for each.
	Cases []variant `json:"cases"`
}

// variant is one of several cases of a request: what differs from the vector's own settings.
type variant struct {
	Name string `json:"name"`
	// Set is a merge patch over the request.
	Set     json.RawMessage            `json:"set"`
	Model   string                     `json:"model"`
	Options map[string]json.RawMessage `json:"options"`
	Refused bool                       `json:"refused"`
}

// sealKey is the gateway's secret in all vectors.
var sealKey = []byte("the key of the golden vectors")

// memory is a Recall of fixed records.
type memory struct {
	// Responses are the records of earlier answers, in any order.
	Responses []json.RawMessage `json:"responses"`
	// Reasoning are the records of the reasoning before calls, by the calls' ids.
	Reasoning map[string]json.RawMessage `json:"reasoning"`

	responses, items map[string][]byte
}

var _ Recall = (*memory)(nil)

// file finds the ids in the records.
func (m *memory) file(t testing.TB) {
	t.Helper()
	m.responses, m.items = make(map[string][]byte), make(map[string][]byte)
	for _, record := range m.Responses {
		var r struct {
			Response struct {
				ID     string
				Output []struct{ ID string }
			}
		}
		if err := json.Unmarshal(record, &r); err != nil {
			t.Fatal(err)
		}
		m.responses[r.Response.ID] = record
		for _, item := range r.Response.Output {
			m.items[item.ID] = record
		}
	}
}

// Response implements Recall.
func (m *memory) Response(id string) []byte { return m.responses[id] }

// Item implements Recall.
func (m *memory) Item(id string) []byte { return m.items[id] }

// Thoughts implements Recall.
func (m *memory) Thoughts(callID string) []byte { return m.Reasoning[callID] }

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
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&v.settings); err != nil {
			t.Fatalf("%s.json: %v", path, err)
		}
	}
	if v.Memory != nil {
		v.Memory.file(t)
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
	v.identify(&r)
	b := Acquire(v.client, v.target)
	out, err := b.AppendRequest([]byte("> "), &r, v.to(t))
	if err != nil {
		t.Fatal(err)
	}
	if w := b.Warnings(); w != nil {
		w.Reset() // Those of the request belong to its own vectors.
	}
	return b, out[2:]
}

// identify sets what the relay knows of a request.
func (v *vector) identify(r *Request) {
	r.AnswerModel, r.AnswerID, r.Created = v.AnswerModel, "golden", 1_700_000_000
	if v.Memory != nil {
		r.Recall = v.Memory
	}
}

// to returns the vector's target.
func (v *vector) to(t testing.TB) *Target {
	t.Helper()
	params, err := CompileParams(v.Params)
	if err != nil {
		t.Fatal(err)
	}
	to := &Target{Protocol: v.target, Model: v.Model, Params: params, Options: optionsOf(t, v.Options)}
	to.Capabilities = llm.Capabilities{ContextWindow: v.Capabilities.ContextWindow, MaxOutput: v.Capabilities.MaxOutput}
	if v.Sealer != nil {
		to.Sealer = NewSealer(sealKey, v.Sealer.Family, v.Sealer.Channel)
	}
	return to
}

// optionsOf returns the default options with some changed.
func optionsOf(t testing.TB, changed map[string]json.RawMessage) *llm.Options {
	t.Helper()
	options := llm.DefaultOptions()
	fields := reflect.ValueOf(&options).Elem()
	for name, value := range changed {
		switch name {
		case "hosted_tools":
			options.HostedTools = llm.HostedTools(choiceOf(t, value, `"auto"`, `"drop"`, `"reject"`))
			continue
		case "call_ids":
			options.CallIDs = llm.CallIDs(choiceOf(t, value, `"native"`, `"short"`, `"mistral"`))
			continue
		}
		field := fields.FieldByNameFunc(func(field string) bool {
			return strings.EqualFold(field, strings.ReplaceAll(name, "_", ""))
		})
		if !field.IsValid() {
			t.Fatalf("there is no option %s", name)
		}
		if err := json.Unmarshal(value, field.Addr().Interface()); err != nil {
			t.Fatalf("option %s: %v", name, err)
		}
	}
	return &options
}

// choiceOf returns the place of an option's value among those it may have.
func choiceOf(t testing.TB, value json.RawMessage, values ...string) int {
	t.Helper()
	i := slices.Index(values, string(value))
	if i < 0 {
		t.Fatalf("%s is none of %s", value, values)
	}
	return i
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
	if u.WebSearches > 0 {
		fmt.Fprintf(&out, "web searches: %d\n", u.WebSearches)
	}
	if w := b.Warnings(); w != nil && !w.Empty() {
		fmt.Fprintf(&out, "warnings: %s\n", w.Append(nil))
	}
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
	llm.ContentPolicy: "content policy", llm.ForeignPart: "foreign part", llm.Authentication: "authentication", llm.Permission: "permission",
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

// translatedStep is at how many more bytes a stream that is translated is cut in two: that costs far more than a splice, and
// one byte at a time has every cut in it.
const translatedStep = 7

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
			step := cutStep
			if v.client != v.target {
				step *= translatedStep
			}
			for i := 0; i < len(v.in); i += step {
				check(fmt.Sprintf("cut at byte %d", i), v.in[:i], v.in[i:])
			}
		})
	}
}
