package lb

import (
	"encoding/binary"
	"math/bits"
)

const (
	prime1 uint64 = 0x9e3779b185ebca87
	prime2 uint64 = 0xc2b2ae3d27d4eb4f
	prime3 uint64 = 0x165667b19e3779f9
	prime4 uint64 = 0x85ebca77c2b2ae63
	prime5 uint64 = 0x27d4eb2f165667c5
)

// Hash is XXH64 (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md): fast on long texts, and the same on every
// machine and in every release, which package hash/maphash is not. With the hash of one text as the seed of the next, the
// result depends on both and on where one ends. It is no protection against someone who looks for collisions.
func Hash(seed uint64, text []byte) uint64 {
	h := seed + prime5
	left := text
	if len(text) >= 32 {
		a, b, c, d := seed+prime1+prime2, seed+prime2, seed, seed-prime1
		for ; len(left) >= 32; left = left[32:] {
			a = round(a, binary.LittleEndian.Uint64(left))
			b = round(b, binary.LittleEndian.Uint64(left[8:]))
			c = round(c, binary.LittleEndian.Uint64(left[16:]))
			d = round(d, binary.LittleEndian.Uint64(left[24:]))
		}
		h = bits.RotateLeft64(a, 1) + bits.RotateLeft64(b, 7) + bits.RotateLeft64(c, 12) + bits.RotateLeft64(d, 18)
		for _, lane := range [...]uint64{a, b, c, d} {
			h = (h^round(0, lane))*prime1 + prime4
		}
	}
	h += uint64(len(text))
	for ; len(left) >= 8; left = left[8:] {
		h = bits.RotateLeft64(h^round(0, binary.LittleEndian.Uint64(left)), 27)*prime1 + prime4
	}
	if len(left) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(left))*prime1, 23)*prime2 + prime3
		left = left[4:]
	}
	for _, c := range left {
		h = bits.RotateLeft64(h^uint64(c)*prime5, 11) * prime1
	}
	return avalanche(h)
}

func round(lane, input uint64) uint64 {
	return bits.RotateLeft64(lane+input*prime2, 31) * prime1
}

// avalanche maps h one to one so that each of its bits changes about half of the result's. It is the last step of XXH64.
func avalanche(h uint64) uint64 {
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}
