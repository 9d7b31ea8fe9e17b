package gatewaytest

import "testing"

func TestMishapsAreDirectives(t *testing.T) {
	for _, fault := range mishaps {
		s := newScript()
		if err := s.read(fault, false); err != nil || s == newScript() {
			t.Errorf("%q: %v, or it does nothing", fault, err)
		}
	}
}
