package tokens

import (
	"bytes"
	"sync"
	"unicode/utf8"

	"github.com/tiktoken-go/tokenizer/codec"
)

const (
	// maxCounted is how much is counted of texts, in bytes. Beyond it every nth window counts for the others.
	maxCounted = 256 << 10
	// window is the unit of sampling, in bytes.
	window = 4 << 10
	// maxPiece is the most that goes to the tokenizer at once, in bytes: its work on long runs of white space grows with
	// their square, and it copies what it is given several times over.
	maxPiece = 1 << 10
)

// vocabulary loads o200k_base. It is safe for concurrent use.
var vocabulary = sync.OnceValue(codec.NewO200kBase)

// Count returns how many tokens texts have together, 0 only when all are empty. The count is exact up to 256 KiB, but for one
// token perhaps per KiB without any space or line break; of more, samples from all of it are counted.
func Count(texts ...[]byte) int64 {
	total := 0
	for _, text := range texts {
		total += len(text)
	}
	if total == 0 {
		return 0
	}
	every := (total + maxCounted - 1) / maxCounted
	at, counted := 0, 0
	var n int64
	for _, text := range texts {
		for len(text) > 0 {
			piece := text[:cut(text)]
			if at/window%every == 0 {
				n += countPiece(piece)
				counted += len(piece)
			}
			at += len(piece)
			text = text[len(piece):]
		}
	}
	return (n*int64(total) + int64(counted) - 1) / int64(counted)
}

// countPiece counts a text of at most maxPiece bytes.
func countPiece(piece []byte) int64 {
	n, err := vocabulary().Count(string(piece))
	if err != nil {
		return Guess(len(piece)) // the tokenizer's regular expression gave up
	}
	// The library's regular expression passes over U+007F (v0.10.0), which is a token of its own.
	return int64(n + bytes.Count(piece, []byte{0x7f}))
}

// cut returns how much of text the tokenizer gets next. Where it can it cuts at a place that no token spans: before a space
// behind a word, or behind a line break.
func cut(text []byte) int {
	if len(text) <= maxPiece {
		return len(text)
	}
	for i := maxPiece; i > maxPiece/2; i-- {
		before, after := text[i-1], text[i]
		if after == ' ' && before > ' ' || before == '\n' && after > ' ' && after != '/' {
			return i
		}
	}
	for i := maxPiece; i > maxPiece-utf8.UTFMax; i-- {
		if utf8.RuneStart(text[i]) {
			return i
		}
	}
	return maxPiece
}

// Guess returns how many tokens are to be expected of n bytes of text, one for 3.5 bytes, rounded up.
func Guess(n int) int64 { return (2*int64(n) + 6) / 7 }
