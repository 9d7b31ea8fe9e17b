package llm

// TextHash is the short hash of a text that grows: FNV-1a in 64 bits, the hash of no text taken for 0. An envelope carries that
// of its thought's text, so that the text can't come back changed beside the signature it was made for. It need not stand up to
// forgery: the envelope's HMAC covers it, and who finds another text with the same hash is told by the provider.
//
// The zero value is the hash of no text.
type TextHash uint64

// The constants of FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/).
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// Add adds text to what was hashed.
func (h *TextHash) Add(text []byte) {
	sum := uint64(*h) ^ fnvOffset
	for _, c := range text {
		sum = (sum ^ uint64(c)) * fnvPrime
	}
	*h = TextHash(sum ^ fnvOffset)
}
