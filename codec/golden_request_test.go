package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"octopus/codec/llm"
)

// encodings is how often every golden request is written to see that the bytes are always the same.
const encodings = 100

// TestGoldenRequests writes every request, and every case of one, for its target. The .out has the upstream's body; the
// .note has the warnings as the header x-octopus-warnings has them, what the exchange noted for the answer, or the error
// that refuses the request. With cases, each is a section with its name on top.
func TestGoldenRequests(t *testing.T) {
	for _, v := range vectors(t, "req") {
		t.Run(v.String(), func(t *testing.T) {
			if len(v.Cases) == 0 {
				out, said := v.write(t, v.in)
				v.compareOrMissing(t, ".out", out)
				v.compareOrMissing(t, ".note", said)
				return
			}
			var outs, notes []byte
			for i := range v.Cases {
				c := &v.Cases[i]
				t.Run(c.Name, func(t *testing.T) {
					variant, body := v.vary(t, c)
					out, said := variant.write(t, body)
					if len(out) > 0 {
						outs = append(fmt.Appendf(outs, "# %s\n", c.Name), bytes.TrimSuffix(out, []byte("\n"))...)
						outs = append(outs, '\n')
					}
					if len(said) > 0 {
						notes = append(fmt.Appendf(notes, "# %s\n", c.Name), said...)
					}
				})
			}
			v.compareOrMissing(t, ".out", outs)
			v.compareOrMissing(t, ".note", notes)
		})
	}
}

// vary returns the vector with one case's settings, and its request.
func (v *vector) vary(t *testing.T, c *variant) (vector, []byte) {
	t.Helper()
	varied := *v
	varied.Refused = c.Refused
	varied.Options = maps.Clone(v.Options)
	if varied.Options == nil {
		varied.Options = c.Options
	} else {
		maps.Copy(varied.Options, c.Options)
	}
	if c.Model != "" {
		varied.Model = c.Model
	}
	set, err := CompileParams(c.Set)
	if err != nil {
		t.Fatal(err)
	}
	if set == nil {
		return varied, v.in
	}
	return varied, set.patch.appendTo(nil, v.in, []byte(`"my-group"`))
}

// compareOrMissing is compare for a file that must not exist where there is nothing to say.
func (v *vector) compareOrMissing(t *testing.T, extension string, got []byte) {
	t.Helper()
	if len(got) > 0 {
		v.compare(t, extension, got)
		return
	}
	switch _, err := os.Stat(v.path + extension); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		t.Fatal(err)
	case !*update:
		t.Errorf("%s%s exists, but there is nothing to say", v.path, extension)
	default:
		if err := os.Remove(v.path + extension); err != nil {
			t.Fatal(err)
		}
	}
}

// write returns the upstream's body and what is said besides. It checks what must be so for every request.
func (v *vector) write(t *testing.T, body []byte) (out, said []byte) {
	t.Helper()
	out, said, warnings, refusal := v.encode(t, body, v.to(t))
	if (refusal != nil) != v.Refused {
		t.Fatalf("refused: %v, want %v\n%s", refusal != nil, v.Refused, said)
	}
	for range encodings - 1 {
		if again, saidAgain, _, _ := v.encode(t, body, v.to(t)); !bytes.Equal(again, out) || !bytes.Equal(saidAgain, said) {
			t.Fatalf("another encoding differs:\n%s\n%s\nfrom\n%s\n%s", again, saidAgain, out, said)
		}
	}
	if refusal != nil {
		return nil, said
	}
	if !json.Valid(out) {
		t.Error("the request is not valid JSON")
	}
	if bytes.Contains(out, envelopeStart) {
		t.Error("an envelope of the gateway leaves for the upstream")
	}
	v.checkStrict(t, body, warnings)
	return out, said
}

// envelopeStart is what the beginning of an envelope looks like in any request: its kind is never empty.
var envelopeStart = []byte(`"` + envelopePrefix)

// index is the part of a path that warnings don't have.
var index = regexp.MustCompile(`\[\d+\]`)

// checkStrict checks that a strict channel refuses what others warn of, with a 400 that names one of the fields.
func (v *vector) checkStrict(t *testing.T, body []byte, warnings []string) {
	t.Helper()
	to := v.to(t)
	strict := *to.Options
	strict.Strict = true
	to.Options = &strict
	_, said, _, refusal := v.encode(t, body, to)
	switch {
	case refusal == nil && len(warnings) == 0:
	case refusal == nil:
		t.Errorf("a strict channel takes the request in spite of %q", warnings)
	case len(warnings) == 0:
		t.Errorf("a strict channel refuses a request without warnings: %s", said)
	case !slices.Contains(warnings, index.ReplaceAllString(refusal.Param, "")):
		t.Errorf("a strict channel refuses the request for %q, which is none of %q", refusal.Param, warnings)
	case refusal.Kind != llm.InvalidRequest || ErrorStatus(v.client, refusal) != 400:
		t.Errorf("a strict channel refuses the request with %s", said)
	}
}

// encode writes the request once, behind other bytes.
func (v *vector) encode(t *testing.T, body []byte, to *Target) (out, said []byte, warnings []string, refusal *llm.Error) {
	t.Helper()
	var r Request
	if err := r.Peek(v.client, body); err != nil {
		t.Fatalf("the request is refused before its conversion: %v", err)
	}
	v.identify(&r)
	b := Acquire(v.client, v.target)
	defer Release(b)
	out, err := b.AppendRequest([]byte("> "), &r, to)
	if !bytes.HasPrefix(out, []byte("> ")) {
		t.Fatalf("what stood before the request is gone: %q", out)
	}
	if err != nil {
		if !errors.As(err, &refusal) {
			t.Fatalf("the error is no *llm.Error: %v", err)
		}
		if len(out) != 2 {
			t.Errorf("a refused request leaves %q behind", out[2:])
		}
		said = fmt.Appendf(nil, "refused: %s\nclient's status: %d\n", describe(refusal), ErrorStatus(v.client, refusal))
		return nil, said, nil, refusal
	}
	if v.Rejected != "" {
		b.Reject(nil, 400, []byte(v.Rejected))
		again, ok := b.FollowUp([]byte("> "))
		if !ok {
			t.Fatal("there is no follow-up request")
		}
		if _, more := b.FollowUp(nil); more {
			t.Error("there is a second follow-up request")
		}
		out = again
	}
	if w := b.Warnings(); w != nil && !w.Empty() {
		warnings = append(append(warnings, w.Dropped()...), w.Approximated()...)
		said = append(w.Append(said), '\n')
	}
	if b, ok := b.(*translation); ok {
		said = appendExchange(said, &b.exchange)
	}
	said = append(said, bytes.ReplaceAll(b.AppendHeader(nil), []byte("\r\n"), []byte{'\n'})...)
	return out[2:], said, warnings, nil
}

// appendExchange appends what a writer noted for the answer.
func appendExchange(dst []byte, x *llm.Exchange) []byte {
	if len(x.StopEnforced) > 0 {
		dst = fmt.Appendf(dst, "stop enforced: %q\n", x.StopEnforced)
	}
	if x.JSONTool != "" {
		dst = fmt.Appendf(dst, "answer by tool: %s\n", x.JSONTool)
	}
	return dst
}
