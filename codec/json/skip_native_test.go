package json

import "testing"

// TestNativePath fails where sonic would silently become encoding/json: on another architecture, or with a Go release
// that it does not know yet.
func TestNativePath(t *testing.T) {
	if !Native {
		t.Error("sonic's machine code is not in use: ten times slower, see skip_portable.go")
	}
}
