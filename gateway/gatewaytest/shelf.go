package gatewaytest

import (
	"bytes"
	"sync"
)

// maxStored is how many responses are kept.
const maxStored = 1000

// shelf keeps the responses that clients want stored, the newest maxStored of them. The zero value is empty. It may be used
// by several goroutines.
type shelf struct {
	// mu guards all else.
	mu        sync.Mutex
	responses map[string]*stored
	// items are the stored responses' output items, by id.
	items map[string][]byte
	// order has the ids of responses, oldest first, deleted ones too.
	order []string
}

// stored is a response as it is kept. It is not changed any more.
type stored struct {
	id string
	// body is the response object.
	body []byte
	// context are the items up to the end of this response: those of earlier ones that it continued, input, output.
	context [][]byte
	// output is how many of context, the last ones, are this response's output.
	output int
}

// put keeps a response.
func (s *shelf) put(r *stored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.responses == nil {
		s.responses, s.items = map[string]*stored{}, map[string][]byte{}
	}
	s.responses[r.id] = r
	s.order = append(s.order, r.id)
	for _, item := range r.own() {
		s.items[decoded(member(item, "id"))] = item
	}
	if len(s.order) > maxStored {
		s.drop(s.order[0])
		s.order = s.order[1:]
	}
}

// find returns the response with that id, or nil.
func (s *shelf) find(id string) *stored {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.responses[id]
}

// item returns the output item with that id, or nil.
func (s *shelf) item(id string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.items[id]
}

// remove forgets the response with that id. It returns false when there is none.
func (s *shelf) remove(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drop(id)
}

// clear forgets everything.
func (s *shelf) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.responses, s.items, s.order = nil, nil, nil
}

func (s *shelf) drop(id string) bool {
	r := s.responses[id]
	if r == nil {
		return false
	}
	for _, item := range r.own() {
		delete(s.items, decoded(member(item, "id")))
	}
	delete(s.responses, id)
	return true
}

// own returns the output items of r.
func (r *stored) own() [][]byte { return r.context[len(r.context)-r.output:] }

// newStored returns the response that body, which is copied, is the object of. It answers request and continues before, which
// may be nil.
func newStored(id string, request, body []byte, before *stored) *stored {
	r := &stored{id: id, body: bytes.Clone(body)}
	if before != nil {
		r.context = append(r.context, before.context...)
	}
	for item := range inputItems(bytes.Clone(request)) {
		r.context = append(r.context, item)
	}
	for item := range elements(member(r.body, "output")) {
		r.context = append(r.context, item)
		r.output++
	}
	return r
}

// inputItems yields the items of a request's input. A string is one message.
func inputItems(request []byte) func(yield func([]byte) bool) {
	input := member(request, "input")
	if !isString(input) {
		return elements(input)
	}
	return func(yield func([]byte) bool) {
		yield(put(nil, `{"type":"message","role":"user","content":`, input, `}`))
	}
}
