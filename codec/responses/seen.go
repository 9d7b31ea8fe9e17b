package responses

// seen remembers a text that went by without keeping it: its length and a checksum. The zero value is the empty text.
type seen struct {
	bytes int
	sum   uint64
}

func (s *seen) add(text []byte) {
	s.bytes += len(text)
	s.sum = sumOf(s.sum, text)
}

// rest returns what text has behind what was seen: nothing when text doesn't begin with that.
func (s *seen) rest(text []byte) []byte {
	if s.bytes >= len(text) || s.bytes > 0 && s.sum != sumOf(0, text[:s.bytes]) {
		return nil
	}
	return text[s.bytes:]
}

// sumOf is FNV-1a, which can be continued from an earlier sum. It only tells a text that goes on from one that differs: nobody
// gains by a collision.
func sumOf(sum uint64, text []byte) uint64 {
	if sum == 0 {
		sum = 14695981039346656037
	}
	for _, c := range text {
		sum = (sum ^ uint64(c)) * 1099511628211
	}
	return sum
}

// trimPartial splits a text before a character that is cut off at its end.
func trimPartial(text []byte) (whole, rest []byte) {
	for n := 1; n <= 3 && n <= len(text); n++ {
		c := text[len(text)-n]
		switch {
		case c < 0x80:
			return text, nil
		case c >= 0xC0:
			need := 2
			if c >= 0xF0 {
				need = 4
			} else if c >= 0xE0 {
				need = 3
			}
			if n < need {
				return text[:len(text)-n], text[len(text)-n:]
			}
			return text, nil
		}
	}
	return text, nil
}
