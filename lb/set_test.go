package lb

import "testing"

func TestSetHoldsWhatWasAddedAndNotRemoved(t *testing.T) {
	for _, n := range []int{1, 63, 64, 65, 1000} {
		var s Set
		s.Reset(n)
		for i := range n {
			s.Add(i)
		}
		if s.Len() != n {
			t.Errorf("room for %d: all added: Len() = %d", n, s.Len())
		}
		for i := 0; i < n; i += 2 {
			s.Remove(i)
			s.Remove(i) // twice is once
		}
		for i := range n {
			if s.Has(i) != (i%2 == 1) {
				t.Errorf("room for %d: Has(%d) = %v", n, i, s.Has(i))
			}
		}
		if s.Len() != n/2 {
			t.Errorf("room for %d: half removed: Len() = %d, want %d", n, s.Len(), n/2)
		}
	}
}

func TestSetIsEmptyAfterResetWhateverItHeld(t *testing.T) {
	var s Set
	for _, n := range []int{0, 200, 10, 130, 64} {
		s.Reset(n)
		if s.Len() != 0 {
			t.Errorf("Reset(%d): Len() = %d, want 0", n, s.Len())
		}
		for i := range n {
			s.Add(i)
		}
	}
}

func TestSetRefusesAnIndexItHasNoRoomFor(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Add(64) with room for 64 did not panic")
		}
	}()
	var s Set
	s.Reset(64)
	s.Add(64)
}
