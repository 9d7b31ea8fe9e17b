package chat

import (
	"encoding/json"
	"testing"
)

func TestAppendEscaped(t *testing.T) {
	for _, s := range []string{"", "a", `"`, "a\n\"b\"\\", "é😀", "\x01"} {
		for _, room := range []int{1, 100} {
			dst := append(make([]byte, 0, room), '"')
			dst = appendEscaped(appendEscaped(dst, s), s)
			var got string
			if err := json.Unmarshal(append(dst, '"'), &got); err != nil || got != s+s {
				t.Errorf("once: got %q %v, want %q", got, err, s+s)
			}
			dst = append(append(make([]byte, 0, room), '"'), `\"`...)
			dst = append(appendTwiceEscaped(appendTwiceEscaped(dst, []byte(s)), []byte(s)), `\""`...)
			var inner, outer string
			err := json.Unmarshal(dst, &outer)
			if err == nil {
				err = json.Unmarshal([]byte(outer), &inner)
			}
			if err != nil || inner != s+s {
				t.Errorf("twice: got %q %v, want %q", inner, err, s+s)
			}
		}
	}
}
