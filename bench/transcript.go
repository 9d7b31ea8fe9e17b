package main

import (
	"bytes"
	"errors"
	"fmt"
)

// transcript checks a stream while it arrives, in pieces of any size: each text against the provider's, the order of
// events, and at its end that nothing is missing. Events end in an empty line of LF alone, as the provider sends them.
// Reset it before each stream.
type transcript struct {
	want *reference
	// partial is the beginning of an event whose end is still to come.
	partial []byte
	// events counts those that are complete, said the bytes of text in them.
	events, said int
	// ended says that the last event has been seen.
	ended bool
}

var (
	eventEnd = []byte("\n\n")

	errNoText  = errors.New("an event that should have text has none")
	errTooLate = errors.New("an event behind the last one")
)

func newTranscript(want *reference) transcript { return transcript{want: want} }

// reset makes the transcript ready for another stream.
func (t *transcript) reset() { *t = transcript{want: t.want, partial: t.partial[:0]} }

// take checks the next piece of the stream.
func (t *transcript) take(piece []byte) error {
	for {
		// The end may begin in what is kept.
		if n := len(t.partial); n > 0 && len(piece) > 0 && t.partial[n-1] == '\n' && piece[0] == '\n' {
			t.partial, piece = t.partial[:n-1], piece[1:]
			if err := t.event(t.partial); err != nil {
				return err
			}
			t.partial = t.partial[:0]
			continue
		}
		event, rest, found := bytes.Cut(piece, eventEnd)
		if !found {
			t.partial = append(t.partial, piece...)
			return nil
		}
		if len(t.partial) > 0 {
			t.partial = append(t.partial, event...)
			event = t.partial
		}
		if err := t.event(event); err != nil {
			return err
		}
		t.partial, piece = t.partial[:0], rest
	}
}

// event checks one event, without its end.
func (t *transcript) event(event []byte) error {
	if len(event) == 0 || event[0] == ':' { // a comment says nothing
		return nil
	}
	if t.ended {
		return fmt.Errorf("%w: %.200q", errTooLate, event)
	}
	t.events++
	d := t.want.dialect
	if bytes.HasPrefix(event, []byte(d.last)) {
		t.ended = true
		return nil
	}
	if !bytes.Contains(event, []byte(d.delta)) {
		return nil
	}
	said, found := stringBehind(event, d.deltaIn)
	if !found {
		return fmt.Errorf("%w: %.200q", errNoText, event)
	}
	if rest := t.want.text[t.said:]; !bytes.HasPrefix(rest, said) {
		return fmt.Errorf("event %d says %.60q where the provider says %.60q", t.events, said, rest)
	}
	t.said += len(said)
	return nil
}

// finish returns an error when the stream, which has ended, is not the whole one.
func (t *transcript) finish() error {
	switch {
	case len(t.partial) > 0:
		return fmt.Errorf("the stream ends inside an event: %.200q", t.partial)
	case !t.ended:
		return fmt.Errorf("the stream ends without its last event, %q, behind %d of %d events",
			t.want.dialect.last, t.events, t.want.events)
	case t.said != len(t.want.text):
		return fmt.Errorf("the stream says %d bytes of text instead of %d", t.said, len(t.want.text))
	case t.events != t.want.events:
		return fmt.Errorf("the stream has %d events instead of %d", t.events, t.want.events)
	}
	return nil
}
