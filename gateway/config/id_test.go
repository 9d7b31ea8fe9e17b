package config

import "testing"

func TestNewID(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		id := NewID()
		if !isID(id) || seen[id] {
			t.Fatalf("id %q: want 12 letters or digits, once", id)
		}
		seen[id] = true
	}
}

func TestIsID(t *testing.T) {
	for id, want := range map[string]bool{
		"abcdefghijkl":       true,
		"ABCXYZ012789":       true,
		"":                   false,
		"abcdefghijk":        false,
		"abcdefghijklm":      false,
		"abcdefghijk-":       false,
		"abcdefghij\xc3\xa4": false,
	} {
		if got := isID(id); got != want {
			t.Errorf("isID(%q) = %v, want %v", id, got, want)
		}
	}
}
