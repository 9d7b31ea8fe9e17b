package gatewaytest

// The alphabets and lengths are those of ids seen from the providers in 2025 and 2026.
const (
	lettersAndDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	// withoutLookalikes is the alphabet of Anthropic's ids (base 58).
	withoutLookalikes = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
)

// ids makes the ids of one answer. They follow from the provider's seed and the request's number alone.
type ids struct{ state uint64 }

// next is SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
func (g *ids) next() uint64 {
	g.state += 0x9E3779B97F4A7C15
	z := g.state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// append appends prefix and n characters of alphabet.
func (g *ids) append(dst []byte, prefix, alphabet string, n int) []byte {
	dst = append(dst, prefix...)
	for n > 0 {
		bits := g.next()
		for range min(n, 8) { // a byte's worth of bits for each
			dst = append(dst, alphabet[(bits&0xFF)%uint64(len(alphabet))])
			bits >>= 8
		}
		n -= min(n, 8)
	}
	return dst
}

func (g *ids) hex(dst []byte, prefix string) []byte { return g.append(dst, prefix, hexDigits, 48) }

func (g *ids) base62(dst []byte, prefix string, n int) []byte {
	return g.append(dst, prefix, lettersAndDigits, n)
}

func (g *ids) base58(dst []byte, prefix string) []byte {
	return g.append(dst, prefix, withoutLookalikes, 22)
}
