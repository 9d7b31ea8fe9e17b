package responses

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"octopus/codec/json"
	"octopus/codec/llm"
)

// StreamWriter writes the steps of an answer as the events of a Responses stream (protocols.md A.6, C.6), in the order that the
// strictest clients want. Make it ready with Reset.
//
// Its memory grows with the answer: the last event repeats all of it.
type StreamWriter struct {
	x      *llm.Exchange
	buf    []byte
	number int64 // of the next event

	id, model, tier string
	echo            []byte // the members of the response object that repeat the request
	usage           llm.Usage
	searches        bool // the client's tool_search is a tool of the upstream by that name
	begun, ended    bool
	whole           bool // no events are wanted, only the response object

	items   []outputItem
	parts   []outputPart   // by the neutral index
	callIDs map[string]int // how often a call came with an id
	// message is the item that texts go to, pending the item that is complete but not yet said to be: both -1 when there is
	// none. Whether the answer was cut there is known only with the next step.
	message, pending int
	status, reason   string
}

var _ llm.Emitter = (*StreamWriter)(nil)

// Reset makes the writer ready for the answer of x. It takes what the answer repeats of x.Request, which need not live longer.
// x.Request.Store says whether the response is stored, nil that it is.
func (w *StreamWriter) Reset(x *llm.Exchange) {
	if cap(w.items) > maxKeptItems || cap(w.parts) > maxKeptItems {
		w.items, w.parts = nil, nil
	}
	*w = StreamWriter{
		x: x, buf: kept(w.buf), echo: kept(w.echo), items: w.items[:0], parts: w.parts[:0], message: -1, pending: -1,
		id: "resp_" + mint(x.AnswerID, -1), model: cmp.Or(x.AnswerModel, x.Model), status: "in_progress",
	}
	w.echo = appendEcho(w.echo, x.Request)
	for i := range x.Request.Tools {
		w.searches = w.searches || x.Request.Tools[i].Kind == llm.ToolSearchTool
	}
}

// maxKept is how large a buffer may be to serve the next answer, maxKeptItems how many items' buffers do.
const (
	maxKept      = 64 << 10
	maxKeptItems = 64
)

// kept returns a buffer emptied, or none in place of a large one.
func kept(buffer []byte) []byte {
	if cap(buffer) > maxKept {
		return nil
	}
	return buffer[:0]
}

// mint makes the part of an id that tells it from others: 48 hexadecimal digits of the answer's seed and the item's number.
func mint(seed string, n int) string {
	sum := sha256.Sum256([]byte(seed + "/" + strconv.Itoa(n)))
	return hex.EncodeToString(sum[:24])
}

// Take appends the events that have been written since the last call.
func (w *StreamWriter) Take(dst []byte) []byte {
	dst = append(dst, w.buf...)
	w.buf = w.buf[:0]
	return dst
}

// AppendError appends what has been written and ends the stream with an error: open items are closed as incomplete, the
// response fails. After the end it appends nothing more.
func (w *StreamWriter) AppendError(dst []byte, e *llm.Error) []byte {
	if !w.ended {
		w.fail(e)
	}
	return w.Take(dst)
}

// AppendResponse appends the response object that the last event of a complete stream has.
func (w *StreamWriter) AppendResponse(dst []byte) []byte { return w.appendResponse(dst, nil) }

// Emit takes the next step.
func (w *StreamWriter) Emit(e *llm.Event) {
	if e.Usage != nil {
		w.usage = *e.Usage
	}
	switch e.Kind {
	case llm.EventStart:
		w.learn(e)
		w.begin()
	case llm.EventOpen:
		w.open(e)
	case llm.EventDelta:
		w.delta(e)
	case llm.EventCite:
		w.cite(e)
	case llm.EventClose:
		w.close(e)
	case llm.EventUsage:
		w.learn(e)
	case llm.EventStop:
		w.learn(e)
		w.stop(&e.Stop)
	case llm.EventFault:
		w.fail(e.Err)
	}
	if w.whole {
		w.buf = w.buf[:0]
	}
}

// learn takes over what a step says of the answer. The id of a response never changes once it is told.
func (w *StreamWriter) learn(e *llm.Event) {
	if !w.begun && e.ID != "" && w.x.Target == llm.Responses {
		w.id = strings.Clone(e.ID)
	}
	if e.Model != "" && w.x.AnswerModel == "" {
		w.model = strings.Clone(e.Model)
	}
	if e.ServiceTier != "" {
		w.tier = strings.Clone(e.ServiceTier)
		if w.x.Target == llm.Messages && (w.tier == "standard" || w.tier == "batch") {
			w.tier = "default"
		}
	}
}

func (w *StreamWriter) begin() {
	if w.begun {
		return
	}
	w.begun = true
	w.lifecycle("response.created")
	w.lifecycle("response.in_progress")
}

// event begins an event; end ends it.
func (w *StreamWriter) event(kind string) {
	w.buf = append(append(w.buf, "event: "...), kind...)
	w.buf = append(append(w.buf, "\ndata: {\"type\":\""...), kind...)
	w.buf = append(w.buf, `","sequence_number":`...)
	w.buf = strconv.AppendInt(w.buf, w.number, 10)
	w.number++
}

func (w *StreamWriter) end() { w.buf = append(w.buf, "}\n\n"...) }

// lifecycle writes an event with the whole response.
func (w *StreamWriter) lifecycle(kind string) {
	if w.whole {
		return
	}
	w.event(kind)
	w.buf = append(w.buf, `,"response":`...)
	w.buf = w.appendResponse(w.buf, nil)
	w.end()
}

// appendResponse appends the response object as it is now (protocols.md A.5).
func (w *StreamWriter) appendResponse(dst []byte, e *llm.Error) []byte {
	dst = append(dst, `{"id":`...)
	dst = json.AppendString(dst, w.id)
	dst = append(dst, `,"object":"response","created_at":`...)
	dst = strconv.AppendInt(dst, w.x.Created, 10)
	dst = append(append(append(dst, `,"status":"`...), w.status...), `","background":false,"error":`...)
	if e == nil {
		dst = append(dst, "null"...)
	} else {
		dst = json.AppendString(append(dst, `{"code":`...), code(e))
		dst = json.AppendString(append(dst, `,"message":`...), failure(e))
		dst = append(dst, '}')
	}
	dst = append(dst, `,"incomplete_details":`...)
	if w.reason == "" {
		dst = append(dst, "null"...)
	} else {
		dst = append(append(append(dst, `{"reason":"`...), w.reason...), `"}`...)
	}
	dst = json.AppendString(append(dst, `,"model":`...), w.model)
	dst = append(dst, `,"output":[`...)
	first := true
	for i := range w.items {
		if !w.items[i].done {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, w.items[i].json...)
	}
	dst = append(append(dst, ']'), w.echo...)
	dst = append(dst, `,"service_tier":`...)
	if w.tier == "" {
		dst = append(dst, "null"...)
	} else {
		dst = json.AppendString(dst, w.tier)
	}
	dst = append(dst, `,"usage":`...)
	usage := w.usage
	switch w.status {
	case "completed", "incomplete":
		// Clients reckon with numbers: none are zeros.
		usage.Knowledge = max(usage.Knowledge, llm.Partial)
	case "in_progress":
		// Clients that add up all they see must not count it twice.
		usage.Knowledge = llm.Unknown
	}
	dst = appendUsage(dst, &usage)
	return append(appendToolUsage(dst, &usage), '}')
}

// failure words an error. Codex reads from the text how long to wait.
func failure(e *llm.Error) string {
	message := cmp.Or(e.Message, "the response failed")
	if e.Kind == llm.RateLimit && e.RetryAfter > 0 && !strings.Contains(message, "try again in") {
		seconds := strconv.FormatFloat(e.RetryAfter.Round(time.Millisecond).Seconds(), 'f', -1, 64)
		message += " Please try again in " + seconds + "s."
	}
	return message
}

// stop ends the answer as its reason says (protocols.md D.2).
func (w *StreamWriter) stop(s *llm.Stop) {
	w.begin()
	if s.Reason == llm.StopFilter && s.Explanation != "" {
		w.explain(s.Explanation)
	}
	last := "completed"
	switch s.Reason {
	case llm.StopLength, llm.StopPause:
		w.reason = "max_output_tokens"
		last = "incomplete"
	case llm.StopFilter:
		w.reason = "content_filter"
		last = "incomplete"
	}
	w.settle(w.message, last)
	w.settle(w.pending, last)
	w.settleAll(last)
	w.ended, w.status = true, last
	w.lifecycle("response." + last)
}

// explain writes the provider's explanation of a refusal as the model's.
func (w *StreamWriter) explain(text string) {
	index := len(w.parts)
	refusal := llm.Item{Kind: llm.Refusal}
	for _, e := range [...]llm.Event{
		{Kind: llm.EventOpen, Index: index, Item: &refusal},
		{Kind: llm.EventDelta, Index: index, Text: []byte(text)},
		{Kind: llm.EventClose, Index: index, Item: &refusal},
	} {
		w.Emit(&e)
	}
}

// fail ends the answer with an error. What is not complete stays incomplete.
func (w *StreamWriter) fail(e *llm.Error) {
	w.begin()
	w.settle(w.pending, "completed")
	w.settleAll("incomplete")
	w.ended, w.status = true, "failed"
	if w.whole {
		return
	}
	w.event("response.failed")
	w.buf = append(w.buf, `,"response":`...)
	w.buf = w.appendResponse(w.buf, e)
	w.end()
}

// settleAll ends all items that have not ended.
func (w *StreamWriter) settleAll(status string) {
	for i := range w.items {
		w.settle(i, status)
	}
	w.message, w.pending = -1, -1
}

// appendLine appends raw JSON with its line breaks as spaces: inside an event a line break would end the data.
func appendLine(dst, raw []byte) []byte {
	start := len(dst)
	dst = append(dst, raw...)
	if bytes.IndexByte(raw, '\n') < 0 && bytes.IndexByte(raw, '\r') < 0 {
		return dst
	}
	for i, c := range dst[start:] {
		if c == '\n' || c == '\r' {
			dst[start+i] = ' '
		}
	}
	return dst
}
