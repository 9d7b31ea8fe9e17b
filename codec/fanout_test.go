package codec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"

	"octopus/codec/llm"
)

// fannedOut returns the vector with a request for n choices of a channel that fans out.
func (v *vector) fannedOut(t *testing.T, n int) vector {
	t.Helper()
	set, err := CompileParams(fmt.Appendf(nil, `{"n":%d,"stream_options":{"include_usage":true}}`, n))
	if err != nil {
		t.Fatal(err)
	}
	many := *v
	many.Request = set.patch.appendTo(nil, v.Request, nil)
	many.Options = maps.Clone(v.Options)
	if many.Options == nil {
		many.Options = make(map[string]json.RawMessage)
	}
	many.Options["fan_out"] = json.RawMessage("true")
	return many
}

// takeAll gives the upstream's answer to the call and to every follow-up call, and returns how many there were.
func (v *vector) takeAll(t *testing.T, body []byte, answer func(b Bridge, dst []byte) ([]byte, Step)) (out []byte, step Step, calls int, b Bridge) {
	t.Helper()
	b, sent := v.start(t, body)
	for {
		calls++
		if out, step = answer(b, out); step != Again {
			return out, step, calls, b
		}
		again, ok := b.FollowUp(nil)
		if !ok || !bytes.Equal(again, sent) {
			t.Fatalf("call %d: there is a follow-up call: %t, its body\n%s\nwant\n%s", calls, ok, again, sent)
		}
	}
}

// streamOf feeds a stream and finishes it.
func (v *vector) streamOf(b Bridge, dst []byte) ([]byte, Step) {
	dst, step := b.Feed(dst, v.in)
	if step < End {
		dst, step = b.Finish(dst, EOF)
	}
	return dst, step
}

// chunks returns the chunks of a Chat stream, and whether [DONE] is their only end.
func chunks(t *testing.T, stream []byte) (all []map[string]any, done bool) {
	t.Helper()
	for _, event := range strings.Split(strings.TrimSuffix(string(stream), "\n\n"), "\n\n") {
		if done {
			t.Errorf("behind the end: %s", event)
		}
		data := strings.TrimPrefix(event, "data: ")
		if done = data == "[DONE]"; done {
			continue
		}
		var chunk map[string]any
		if err := json.Unmarshal([]byte(data), &chunk); err != nil {
			t.Fatalf("%v in %s", err, event)
		}
		all = append(all, chunk)
	}
	return all, done
}

// setIndex gives the choices of a chunk or an answer another index.
func setIndex(object map[string]any, index int) {
	for _, choice := range object["choices"].([]any) {
		choice.(map[string]any)["index"] = float64(index)
	}
}

// times returns a usage object with all numbers n times as large.
func times(usage any, n float64) any {
	switch u := usage.(type) {
	case float64:
		return n * u
	case map[string]any:
		more := make(map[string]any)
		for name, value := range u {
			more[name] = times(value, n)
		}
		return more
	}
	return usage
}

// TestChoicesFollowOneAnother asks for three choices of upstreams that know one, in all streams: they come one after the other,
// each as if it were alone, with one usage and one end for all.
func TestChoicesFollowOneAnother(t *testing.T) {
	const n = 3
	tested := 0
	for _, v := range vectors(t, "sse") {
		if v.client != llm.Chat || v.target == llm.Chat || bytes.Contains(v.Request, []byte(`"input"`)) {
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			alone := v.fannedOut(t, 1)
			single, step, calls, b := alone.takeAll(t, alone.Request, alone.streamOf)
			usage := b.Usage()
			Release(b)
			if step != End || calls > 1 {
				t.Skip("no answer, or one that pauses")
			}
			tested++
			many := v.fannedOut(t, n)
			all, step, calls, b := many.takeAll(t, many.Request, many.streamOf)
			defer Release(b)
			if step != End || calls != n {
				t.Fatalf("step %d after %d calls", step, calls)
			}
			sum := usage.Plus(&usage)
			if sum = sum.Plus(&usage); b.Usage() != sum {
				t.Errorf("usage %+v, want %+v", b.Usage(), sum)
			}
			if record := b.Remember(); record.Thoughts != nil {
				t.Errorf("reasoning is remembered: %s", record.Thoughts)
			}
			var want []map[string]any
			for i := range n {
				one, _ := chunks(t, single)
				last := one[len(one)-1]
				for _, chunk := range one[:len(one)-1] {
					setIndex(chunk, i)
					want = append(want, chunk)
				}
				if i == n-1 {
					last["usage"] = times(last["usage"], n)
					want = append(want, last)
				}
			}
			got, done := chunks(t, all)
			if !done || len(got) != len(want) {
				t.Fatalf("%d chunks, done %t, want %d:\n%s", len(got), done, len(want), all)
			}
			for i := range got {
				// The tier is told as soon as it is known, which is in the first answer's end for some.
				delete(got[i], "service_tier")
				delete(want[i], "service_tier")
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Errorf("chunk %d: got %v, want %v", i, got[i], want[i])
				}
			}
		})
	}
	if tested < 20 {
		t.Errorf("only %d streams were tested", tested)
	}
}

// TestChoicesOfWholeAnswers is TestChoicesFollowOneAnother for answers that are not streamed.
func TestChoicesOfWholeAnswers(t *testing.T) {
	const n = 8
	tested := 0
	for _, v := range vectors(t, "res") {
		if v.client != llm.Chat || v.target == llm.Chat || bytes.Contains(v.Request, []byte(`"input"`)) {
			continue
		}
		t.Run(v.String(), func(t *testing.T) {
			read := func(n int) (answer map[string]any, step Step, calls int) {
				many := v.fannedOut(t, n)
				out, step, calls, b := many.takeAll(t, many.Request, func(b Bridge, dst []byte) ([]byte, Step) {
					return b.Answer(dst, v.in)
				})
				defer Release(b)
				if step == End {
					if err := json.Unmarshal(out, &answer); err != nil {
						t.Fatalf("%v in %s", err, out)
					}
				}
				return answer, step, calls
			}
			if _, step, calls := read(1); step != End || calls > 1 {
				t.Skip("no answer, or one that pauses")
			}
			tested++
			got, step, calls := read(n)
			if step != End || calls != n {
				t.Fatalf("step %d after %d calls", step, calls)
			}
			var choices []any
			for i := range n {
				one, _, _ := read(1)
				setIndex(one, i)
				choices = append(choices, one["choices"].([]any)...)
			}
			want, _, _ := read(1)
			want["choices"], want["usage"] = choices, times(want["usage"], n)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %v\nwant %v", got, want)
			}
		})
	}
	if tested < 20 {
		t.Errorf("only %d answers were tested", tested)
	}
}

// TestLaterChoiceFails cuts the call for the second choice, and rejects it: the answer fails, whole or streamed.
func TestLaterChoiceFails(t *testing.T) {
	for target, name := range map[string]string{"am": "tool_index", "rs": "dialect_crlf"} {
		v := readVector(t, "testdata/cc-"+target+"/sse/"+name, "sse")
		many := v.fannedOut(t, 2)
		f := func(name string, fail func(b Bridge) ([]byte, Step)) {
			t.Run(target+"/"+name, func(t *testing.T) {
				b, _ := many.start(t, many.Request)
				defer Release(b)
				out, step := v.streamOf(b, nil)
				if step != Again || bytes.Contains(out, []byte("[DONE]")) {
					t.Fatalf("step %d, %s", step, out)
				}
				if _, ok := b.FollowUp(nil); !ok {
					t.Fatal("there is no follow-up call")
				}
				if out, step = fail(b); step != Failed || b.Failure() == nil || bytes.Contains(out, []byte("[DONE]")) {
					t.Fatalf("step %d, failure %v, %s", step, b.Failure(), out)
				}
				if _, ok := b.FollowUp(nil); ok {
					t.Error("there is another follow-up call")
				}
				if u := b.Usage(); u.Knowledge == llm.Reported || u.Output == 0 {
					t.Errorf("usage %+v", u)
				}
			})
		}
		f("nothing came", func(b Bridge) ([]byte, Step) { return b.Finish(nil, Cut) })
		f("cut", func(b Bridge) ([]byte, Step) {
			out, _ := b.Feed(nil, v.in[:len(v.in)/2])
			return b.Finish(out, Cut)
		})
	}
}
