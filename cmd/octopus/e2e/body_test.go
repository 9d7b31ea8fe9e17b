package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestBodies(t *testing.T) {
	proves(t, "F32", "upload of 40 MB: 413 before it is there, seen by clients that send on; nested, broken, empty: 400; 1 MB passes")
	t.Run("that can't be served, or just can", testUnservableBodies)
	t.Run("beyond the limit", testUploadsBeyondTheLimit)
}

func testUnservableBodies(t *testing.T) {
	g := startGateway(t, nil)
	for i := range protocols {
		p := &protocols[i]
		said := func(text string) string { return fmt.Sprintf(p.format, "north/m", false, text) }
		huge := strings.Repeat("9", 100_000)
		for _, test := range []struct{ name, body string }{
			{"empty", ""},
			{"white space", " \r\n\t"},
			{"null", "null"},
			{"an array", "[]"},
			{"a string", `"hello"`},
			{"without a model", strings.Replace(p.body("north/m", false), `"model"`, `"modell"`, 1)},
			{"a model that is no string", strings.Replace(p.body("north/m", false), `"north/m"`, `["north/m"]`, 1)},
			{"half of it", p.body("north/m", false)[:40]},
			{"two of it", p.body("north/m", false) + p.body("north/m", false)},
			{"no JSON", "model=north/m"},
			{"10 000 nested arrays", said(strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000))},
			{"10 000 nested arrays that never end", said(strings.Repeat("[", 10_000))},
			{"10 000 nested objects", said(strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000))},
			{"invalid UTF-8", said("\"\xff\xfe\xc0\x80\"")},
			{"half a character", said("\"\xe4\xbd\"")},
			{"a number with 100 000 digits as model", strings.Replace(p.body("north/m", false), `"north/m"`, huge, 1)},
		} {
			t.Run(p.name+": "+test.name, func(t *testing.T) {
				before := g.north.Counts().Requests
				got := g.post(t.Context(), p, test.body)
				if err := p.checkError(got, 400); err != nil {
					t.Errorf("%v: %v", err, got)
				}
				if after := g.north.Counts().Requests; after != before {
					t.Errorf("the provider got %d requests, want none", after-before)
				}
			})
		}

		// Numbers are the provider's affair: they arrive digit by digit, and nothing here trips over them.
		t.Run(p.name+": huge numbers", func(t *testing.T) {
			numbers := fmt.Sprintf(`{"temperature":1e999999,"max_tokens":%s,"max_output_tokens":-%[1]s.5E-%s,`, huge, huge)
			sent := numbers + p.body("north/m", false)[1:]
			before := len(g.north.Requests())
			got := g.post(t.Context(), p, sent)
			log := g.north.Requests()[before:]
			if got.status != 200 || len(log) != 1 || !strings.HasPrefix(string(log[0].Body), numbers) {
				t.Errorf("%v, %d requests at the provider; want 200 and one with the same numbers", got, len(log))
			}
		})

		t.Run(p.name+": a megabyte of conversation", func(t *testing.T) {
			text := `"` + strings.Repeat(`Grüße \u00e9\n`, 1<<20/14) + `"`
			for _, stream := range []bool{false, true} {
				before := len(g.north.Requests())
				got := g.post(t.Context(), p, fmt.Sprintf(p.format, "north/m", stream, text))
				log := g.north.Requests()[before:]
				if lacks := p.lacks(got.body, stream); got.status != 200 || lacks != "" {
					t.Fatalf("stream %t: %v, want 200 and %q", stream, got, lacks)
				}
				if len(log) != 1 || !strings.Contains(string(log[0].Body), text) {
					t.Errorf("stream %t: %d requests at the provider, want one with the whole text", stream, len(log))
				}
			}
		})
	}
}

func testUploadsBeyondTheLimit(t *testing.T) {
	const upload = 40 << 20 // the limit is 32 MiB
	g := startGateway(t, nil)
	for i := range protocols {
		p := &protocols[i]
		start := p.body("north/m", true)
		start = start[:strings.Index(start, "Hello")]
		announced := head(p.path, fmt.Sprintf("Content-Length: %d", upload)) + start
		piece := strings.Repeat("x", 64<<10)

		t.Run(p.name+": the answer does not wait for the body", func(t *testing.T) {
			conn := dial(t, g.data)
			// One piece: fasthttp looks at the first 8 KiB of a body before it hands out the request.
			if _, err := io.WriteString(conn, announced+piece); err != nil {
				t.Fatal(err)
			}
			got := readAnswer(bufio.NewReader(conn))
			if err := p.checkError(got, 413); err != nil {
				t.Errorf("%v: %v", err, got)
			}
		})

		t.Run(p.name+": a client that sends on sees it", func(t *testing.T) {
			checkUpload(t, dial(t, g.data), p, announced, piece, upload)
		})

		t.Run(p.name+": a client that asks before it sends", func(t *testing.T) {
			conn := dial(t, g.data)
			asked := head(p.path, fmt.Sprintf("Content-Length: %d", upload), "Expect: 100-continue")
			if _, err := io.WriteString(conn, asked); err != nil {
				t.Fatal(err)
			}
			answer := readAnswer(bufio.NewReader(conn))
			if answer.status == http.StatusContinue {
				checkUpload(t, conn, p, start, piece, upload)
			} else if err := p.checkError(answer, 413); err != nil {
				t.Errorf("%v: %v", err, answer)
			}
		})

		t.Run(p.name+": chunks without end", func(t *testing.T) {
			chunk := fmt.Sprintf("%x\r\n%s\r\n", len(piece), piece)
			chunked := head(p.path, "Transfer-Encoding: chunked") + fmt.Sprintf("%x\r\n%s\r\n", len(start), start)
			checkUpload(t, dial(t, g.data), p, chunked, chunk, upload)
		})
	}
	if got := g.north.Counts().Requests; got != 0 {
		t.Errorf("the provider got %d requests, want none", got)
	}
}

// checkUpload writes begin and then piece after piece, as a client does that only reads when it has sent everything, and
// checks that it finds the answer and no reset.
func checkUpload(t *testing.T, conn net.Conn, p *protocol, begin, piece string, size int) {
	t.Helper()
	if _, err := io.WriteString(conn, begin); err != nil {
		t.Fatal(err)
	}
	for sent := 0; sent < size; sent += len(piece) {
		if _, err := io.WriteString(conn, piece); err != nil {
			// The other side has closed. What it said before must still be readable.
			break
		}
	}
	got := readAnswer(bufio.NewReader(conn))
	if err := p.checkError(got, 413); err != nil {
		t.Errorf("%v: %v", err, got)
	}
}
