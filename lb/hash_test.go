package lb

import (
	"bytes"
	"testing"
)

// The values are those of other implementations (xxhsum 0.8, github.com/cespare/xxhash).
func TestHashIsXXH64(t *testing.T) {
	bytesUpTo := func(n int) (b []byte) {
		for i := range n {
			b = append(b, byte(i*7))
		}
		return b
	}
	for _, test := range []struct {
		seed uint64
		text []byte
		want uint64
	}{
		{0, nil, 0xef46db3751d8e999},
		{0, []byte("a"), 0xd24ec4f1a98c6e5b},
		{0, []byte("abc"), 0x44bc2cf5ad770999},
		{0, []byte("Nobody inspects the spammish repetition"), 0xfbcea83c8a378bf1},
		{0x0, bytesUpTo(31), 0xf187c62b1e722b7},
		{0x8000000000003039, bytesUpTo(31), 0xa0a99beeec18704c},
		{0x0, bytesUpTo(32), 0x91b0cb0931a8c629},
		{0x8000000000003039, bytesUpTo(32), 0x4000458369e3fce5},
		{0x0, bytesUpTo(33), 0x931b043cf8d65b94},
		{0x8000000000003039, bytesUpTo(33), 0x94011b8a17315181},
		{0x0, bytesUpTo(36), 0xff889616afdd68c2},
		{0x8000000000003039, bytesUpTo(36), 0x72849adda81bbd7c},
		{0x0, bytesUpTo(63), 0x219110bf13e2fa26},
		{0x8000000000003039, bytesUpTo(63), 0x860529c18b4cdd4b},
		{0x0, bytesUpTo(100), 0x8e2272c08247d5db},
		{0x8000000000003039, bytesUpTo(100), 0xf29a0a28f04e20f5},
		{0x0, bytesUpTo(1000), 0x25275608a9cfc168},
		{0x8000000000003039, bytesUpTo(1000), 0x2d736137cf6cd4de},
	} {
		if got := Hash(test.seed, test.text); got != test.want {
			t.Errorf("Hash(%d, %q) = %#x, want %#x", test.seed, test.text, got, test.want)
		}
	}
}

func TestChainedHashesDependOnEachPieceAndItsEnd(t *testing.T) {
	chain := func(pieces ...string) (h uint64) {
		for _, piece := range pieces {
			h = Hash(h, []byte(piece))
		}
		return h
	}
	seen := map[uint64][]string{}
	for _, pieces := range [][]string{{"ab"}, {"a", "b"}, {"b", "a"}, {"ab", ""}, {"", "ab"}, {}, {""}, {"", ""}} {
		h := chain(pieces...)
		if other, ok := seen[h]; ok {
			t.Errorf("%q and %q have the same hash", pieces, other)
		}
		seen[h] = pieces
	}
}

func TestHashDoesNotAllocate(t *testing.T) {
	text := bytes.Repeat([]byte("prompt "), 1000)
	if allocs := testing.AllocsPerRun(100, func() { Hash(1, text) }); allocs != 0 {
		t.Errorf("%v allocations, want 0", allocs)
	}
}
