package requestlog

import (
	"strings"
	"testing"
	"time"
)

func TestBodiesAreKeptWithoutPayloadsAndKeys(t *testing.T) {
	l, s := newLog(t)
	plain, bodied := full("plain"), full("bodied")
	bodied.RequestBody = []byte(`{"image":"data:image/png;base64,` + strings.Repeat("iVBORw0KGgo/", 100) + `==","text":"my key is sk-abcdefghijkl and my word is sk-no"}`)
	bodied.ResponseBody = []byte(`{"text":"ünïcode and ` + strings.Repeat("a b ", 200) + `"}`)
	write(t, l, s, time.Now(), plain, bodied, plain)
	row, err := l.Find("bodied")
	if err != nil || row == nil {
		t.Fatal(row, err)
	}
	got, err := l.Bodies(row.Number)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"image":"data:image/png;base64,[1202 characters of base64]","text":"my key is sk-*** and my word is sk-no"}`; string(got.Request) != want {
		t.Errorf("request: got\n%s\nwant\n%s", got.Request, want)
	}
	if string(got.Response) != string(bodied.ResponseBody) {
		t.Errorf("response: got\n%s\nwant\n%s", got.Response, bodied.ResponseBody)
	}
	if row, err = l.Find("plain"); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Bodies(row.Number); err != nil || got.Request != nil || got.Response != nil {
		t.Errorf("a row without bodies has %+v; %v", got, err)
	}
	if err := l.Prune(t.Context(), time.Now().Add(time.Hour), 1<<40); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Bodies(row.Number - 1); err != nil || got.Request != nil {
		t.Errorf("a removed row has %+v; %v", got, err)
	}
}

func TestBodiesBeyondTheBoundAreLeftOutAndTheirRowsAreNot(t *testing.T) {
	var b Buffer
	o := full("x")
	o.RequestBody = make([]byte, 60<<10)
	o.Attempts = nil
	for range 200 {
		if !b.Add(o) {
			t.Fatal("a row was refused")
		}
	}
	if len(b.bodies) > maxBodies || len(b.bodied) != maxBodies/len(o.RequestBody) || b.Len() != 200 {
		t.Errorf("%d rows, %d of them with bodies, %d bytes", b.Len(), len(b.bodied), len(b.bodies))
	}
}

func FuzzElided(f *testing.F) {
	f.Add([]byte(strings.Repeat("QUJD", 200)+"sk-abcdefghijkl"), []byte("x"))
	f.Fuzz(func(t *testing.T, head, tail []byte) {
		body := append(append(head, "sk-0123456789abcdef"...), tail...)
		if out := appendElided(nil, body); strings.Contains(string(out), "sk-0123456789abcdef") && len(head) > 0 && !isBase64(head[len(head)-1]) {
			t.Errorf("%q keeps its key: %q", body, out)
		}
	})
}
