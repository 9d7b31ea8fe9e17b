package llm

// Capabilities is what a target's model accepts. The zero value promises nothing beyond text and tools; the codec has
// defaults by the model's name for what a catalog doesn't say.
type Capabilities struct {
	// ContextWindow and MaxOutput are limits in tokens; 0 means unknown.
	ContextWindow, MaxOutput int64
	// DefaultOutput is how many tokens of output to ask for where a request must and the client has no wish; 0 means unknown.
	DefaultOutput int64
}

// Warnings collects what a conversion could not carry over exactly. The zero value is empty.
type Warnings struct {
	dropped, approximated []string
}

// Drop notes that a field was left out. Names are JSON paths of the client's body without indexes; each is kept once.
func (w *Warnings) Drop(field string) { w.dropped = appendOnce(w.dropped, field) }

// Approximate notes that a field reached the upstream with a meaning that is close but not equal.
func (w *Warnings) Approximate(field string) { w.approximated = appendOnce(w.approximated, field) }

// Dropped and Approximated return the fields in the order they were noted. The caller must not change them.
func (w *Warnings) Dropped() []string { return w.dropped }

// Approximated returns the fields that were approximated.
func (w *Warnings) Approximated() []string { return w.approximated }

// Empty reports whether nothing was noted.
func (w *Warnings) Empty() bool { return len(w.dropped)+len(w.approximated) == 0 }

// Reset forgets everything.
func (w *Warnings) Reset() { w.dropped, w.approximated = w.dropped[:0], w.approximated[:0] }

// Append appends the warnings as the header x-octopus-warnings has them: dropped=a,b; approx=c.
func (w *Warnings) Append(dst []byte) []byte {
	start := len(dst)
	for _, part := range [...]struct {
		name   string
		fields []string
	}{{"dropped=", w.dropped}, {"approx=", w.approximated}} {
		for i, field := range part.fields {
			switch {
			case i > 0:
				dst = append(dst, ',')
			case len(dst) > start:
				dst = append(append(dst, "; "...), part.name...)
			default:
				dst = append(dst, part.name...)
			}
			dst = append(dst, field...)
		}
	}
	return dst
}

func appendOnce(list []string, field string) []string {
	for _, known := range list {
		if known == field {
			return list
		}
	}
	return append(list, field)
}
