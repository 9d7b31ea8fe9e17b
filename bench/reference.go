package main

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// reference is what the provider answers to the request of a scenario: what every answer through a gateway must be.
type reference struct {
	dialect *dialect
	// whole is the answer that is no stream.
	whole pattern
	// text is what both say, events how many events the stream has.
	text   []byte
	events int
}

// learnTimeout bounds how long the provider may take for the two answers of learn.
const learnTimeout = 10 * time.Second

// learn asks the provider itself, in both ways, and sees to it that the two answers say the same. The stream is asked for
// without pauses between its events.
func learn(ctx context.Context, d *dialect, provider string, size int) (*reference, error) {
	c, err := dial(ctx, provider, time.Now().Add(learnTimeout), wholeBuffer)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	answers := make([][]byte, 2)
	for i, stream := range [...]bool{false, true} {
		status, err := c.ask(d.request(d.requestBody(stream, size), "every=0s"))
		if err != nil {
			return nil, err
		}
		if answers[i], err = c.all(nil); err != nil {
			return nil, err
		}
		if status != 200 {
			return nil, fmt.Errorf("the provider answers with status %d: %s", status, answers[i])
		}
	}
	r := &reference{dialect: d, whole: newPattern(answers[0])}
	said, found := stringBehind(answers[0], d.textIn)
	if !found || len(said) == 0 {
		return nil, fmt.Errorf("the provider's answer has no text: %s", answers[0])
	}
	r.text = bytes.Clone(said)
	t := newTranscript(r)
	if err := t.take(answers[1]); err != nil {
		return nil, fmt.Errorf("the provider's own stream: %w", err)
	}
	r.events = t.events
	if err := t.finish(); err != nil {
		return nil, fmt.Errorf("the provider's own stream: %w", err)
	}
	return r, nil
}

// pattern is an answer in which some values differ from time to time: ids, times and the model. They always have the same
// length.
type pattern struct {
	body []byte
	gaps []gap
}

// gap is body[start:end] of a pattern.
type gap struct{ start, end int }

// changing are the keys whose values are gaps.
var changing = []string{`"id":`, `"model":`, `"created":`, `"created_at":`, `"completed_at":`}

// newPattern makes a pattern of an answer, which it keeps.
func newPattern(body []byte) pattern {
	p := pattern{body: body}
	for at := 0; at < len(body); at++ {
		if body[at] != '"' {
			continue
		}
		for _, key := range changing {
			if bytes.HasPrefix(body[at:], []byte(key)) {
				start := at + len(key)
				at = valueEnd(body, start)
				p.gaps = append(p.gaps, gap{start, at})
				break
			}
		}
	}
	return p
}

// valueEnd returns the end of the JSON string, number or word that begins at start. Strings have nothing escaped in them.
func valueEnd(body []byte, start int) int {
	if body[start] != '"' {
		return start + max(bytes.IndexAny(body[start:], ",}]"), 0)
	}
	return start + 2 + max(bytes.IndexByte(body[start+1:], '"'), 0)
}

// check returns an error when body is not the answer of the pattern.
func (p *pattern) check(body []byte) error {
	if len(body) != len(p.body) {
		return fmt.Errorf("the answer has %d bytes instead of %d: %.200q", len(body), len(p.body), body)
	}
	start := 0
	for _, g := range p.gaps {
		if err := p.checkPart(body, start, g.start); err != nil {
			return err
		}
		start = g.end
	}
	return p.checkPart(body, start, len(body))
}

func (p *pattern) checkPart(body []byte, start, end int) error {
	if bytes.Equal(body[start:end], p.body[start:end]) {
		return nil
	}
	for body[start] == p.body[start] {
		start++
	}
	return fmt.Errorf("the answer differs at byte %d: %.60q instead of %.60q", start, body[start:end], p.body[start:end])
}
