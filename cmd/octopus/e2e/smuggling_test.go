package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// smuggled is the model of requests that hide in the body of others. No provider may ever be asked for it.
const smuggled = "smuggled"

func TestOddRequests(t *testing.T) {
	proves(t, "F33", "smuggling pairs: refused, or closed after one answer; authentication and dispatch see the same path")
	t.Run("smuggled ones are not served", testSmuggling)
	t.Run("one rule for paths and hosts", testPathsAndHosts)
}

func testSmuggling(t *testing.T) {
	g := startGateway(t, nil)
	chat := &protocols[0]
	body := chat.body("north/m", false)
	hidden := chat.body("north/"+smuggled, false)
	hidden = head(chat.path, fmt.Sprintf("Content-Length: %d", len(hidden))) + hidden
	length := fmt.Sprintf("Content-Length: %d", len(body))
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	lengthOf := func(text string) string { return fmt.Sprintf("Content-Length: %d", len(text)) }
	without := func(request, line string) string { return strings.Replace(request, line+"\r\n", "", 1) }
	get := func(path, body string) string {
		return strings.Replace(head(path, lengthOf(body)), "POST", "GET", 1) + body
	}

	// Behind each request stands one for /healthz that asks to close the connection: its 200 shows that the connection was
	// still in step.
	var (
		served  = [][]int{{200, 200}}
		refused = [][]int{{400}}
		// RFC 9112, section 6.3, lets a server go by the chunks when there is a length too, and then close; section 2.2
		// lets it end lines at a bare LF, and section 5.2 unfold them.
		closed = [][]int{{400}, {200}}
		either = [][]int{{400}, {200, 200}}
	)
	unread := func(status int) [][]int { return [][]int{{status}, {status, 200}} }
	for _, test := range []struct {
		name, sent string
		// want are the answers that may come, by their statuses, before the connection is closed.
		want [][]int
	}{
		{"nothing odd", head(chat.path, length) + body, served},
		{"nothing odd, in chunks", head(chat.path, "Transfer-Encoding: chunked") + chunked, served},
		{"length and chunks", head(chat.path, length, "Transfer-Encoding: chunked") + chunked + hidden, closed},
		{"chunks and length", head(chat.path, "Transfer-Encoding: chunked", length) + chunked + hidden, closed},
		{"chunks end where the length does not", head(chat.path, "Transfer-Encoding: chunked", lengthOf("0\r\n\r\n"+hidden)) +
			"0\r\n\r\n" + hidden, closed},
		{"two lengths", head(chat.path, length, "Content-Length: 5") + body, refused},
		{"two lengths in one", head(chat.path, length+", 5") + body, refused},
		{"a length with a sign", head(chat.path, strings.Replace(length, ": ", ": +", 1)) + body, refused},
		{"a negative length", head(chat.path, "Content-Length: -1") + body, refused},
		{"a length in hex", head(chat.path, "Content-Length: 0x40") + body, refused},
		{"a length beyond all", head(chat.path, "Content-Length: 99999999999999999999") + body, refused},
		{"an empty length", head(chat.path, "Content-Length:") + body, refused},
		{"space before the colon of the length", head(chat.path, strings.Replace(length, ":", " :", 1)) + body, refused},
		{"space before the colon of the coding", head(chat.path, length, "Transfer-Encoding : chunked") + chunked, refused},
		{"an unknown coding", head(chat.path, "Transfer-Encoding: xchunked") + chunked, refused},
		{"a coding behind chunked", head(chat.path, "Transfer-Encoding: chunked, identity") + chunked, refused},
		{"a coding before chunked", head(chat.path, "Transfer-Encoding: gzip, chunked") + chunked, refused},
		{"chunked twice", head(chat.path, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + chunked, refused},
		{"a folded coding", head(chat.path, length, "Transfer-Encoding:\r\n chunked") + chunked + hidden, closed},
		{"a folded line", head(chat.path, "X-Note: a\r\n b", length) + body, either},
		{"bare LF behind a line", strings.Replace(head(chat.path, "X-Note: a", length)+body, "a\r\n", "a\n", 1), either},
		{"bare LF hides a coding", head(chat.path, length, "X-Note: a\nTransfer-Encoding: chunked") + chunked + hidden, closed},
		{"bare LF only", strings.ReplaceAll(head(chat.path, length), "\r\n", "\n") + body, either},
		{"bare CR in a value", head(chat.path, "X-Note: a\rTransfer-Encoding: chunked", length) + body, refused},
		{"NUL in a value", head(chat.path, "X-Note: a\x00b", length) + body, refused},
		{"NUL in a name", head(chat.path, "X-\x00Note: a", length) + body, refused},
		{"no colon", head(chat.path, "X-Note", length) + body, refused},
		{"no name", head(chat.path, ": a", length) + body, refused},
		{"a chunk size in C's hex", head(chat.path, "Transfer-Encoding: chunked") + "0x" + chunked, refused},
		{"a negative chunk size", head(chat.path, "Transfer-Encoding: chunked") + "-" + chunked, refused},
		{"a chunk size beyond all", head(chat.path, "Transfer-Encoding: chunked") + "fffffffffffffffff\r\n" + body, refused},
		{"a chunk longer than it says", head(chat.path, "Transfer-Encoding: chunked") + "5\r\n" + body + "\r\n0\r\n\r\n", refused},
		{"a credential in the trailer", without(head(chat.path, "Transfer-Encoding: chunked"), "Authorization: Bearer "+apiKey) +
			strings.TrimSuffix(chunked, "\r\n") + "Authorization: Bearer " + apiKey + "\r\n\r\n", unread(401)},
		{"no host", without(head(chat.path, length), "Host: octopus") + body, refused},
		{"two hosts", head(chat.path, "Host: evil.example", length) + body, refused},
		{"HTTP/1.0 in chunks", strings.Replace(head(chat.path, "Transfer-Encoding: chunked"), "HTTP/1.1", "HTTP/1.0", 1) +
			chunked + hidden, refused},
		{"an unknown version", strings.Replace(head(chat.path, length), "HTTP/1.1", "HTTP/3.7", 1) + body, closed},
		{"no version", strings.Replace(head(chat.path, length), " HTTP/1.1", "", 1) + body, refused},
		{"two spaces before the path", strings.Replace(head(chat.path, length), "POST ", "POST  ", 1) + body, refused},
		{"a space in the path", head("/v1/chat/completions /v1/models", length) + body, refused},
		{"TLS on the plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 200), refused},

		// Bodies that are not read must not become requests.
		{"a body behind GET", get("/v1/models", hidden), unread(200)},
		{"a body behind GET of what there isn't", get("/nowhere", hidden), unread(404)},
		{"a body behind a wrong key", strings.Replace(head(chat.path, lengthOf(hidden)), apiKey, "wrong", 1) + hidden, unread(401)},
		{"chunks behind a wrong key", strings.Replace(head(chat.path, "Transfer-Encoding: chunked"), apiKey, "wrong", 1) +
			fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(hidden), hidden), unread(401)},
		{"a body behind an unknown path", head("/v1/nowhere", lengthOf(hidden)) + hidden, unread(404)},
		{"a body behind a wrong method", strings.Replace(head(chat.path, lengthOf(hidden)), "POST", "PUT", 1) + hidden, unread(405)},
		{"a body behind OPTIONS", strings.Replace(head(chat.path, lengthOf(hidden)), "POST", "OPTIONS", 1) + hidden, unread(204)},
		{"a body in an unknown encoding", head(chat.path, lengthOf(hidden), "Content-Encoding: br") + hidden, unread(415)},
		{"a body that is no JSON", head(chat.path, lengthOf(hidden)) + hidden, [][]int{{400, 200}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := statuses(t, g, test.sent)
			if !slices.ContainsFunc(test.want, func(want []int) bool { return slices.Equal(got, want) }) {
				t.Errorf("answers %v, want one of %v", got, test.want)
			}
		})
	}
	if find(g.north.Requests(), smuggled) != nil {
		t.Error("a smuggled request was served")
	}
}

// statuses sends a request, and one for /healthz behind it that asks to close the connection, and returns the statuses of
// the answers up to the end.
func statuses(t *testing.T, g *gateway, sent string) []int {
	t.Helper()
	conn := dial(t, g.data)
	if _, err := io.WriteString(conn, sent+"GET /healthz HTTP/1.1\r\nHost: octopus\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	var all []int
	for r := bufio.NewReader(conn); ; {
		response, err := http.ReadResponse(r, &http.Request{Method: "POST"})
		if err != nil {
			return all
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Errorf("answer %d with status %d: %v", len(all), response.StatusCode, err)
		}
		all = append(all, response.StatusCode)
	}
}

func testPathsAndHosts(t *testing.T) {
	g := startGateway(t, nil)
	chat := &protocols[0]
	body := chat.body("north/m", false)
	length := fmt.Sprintf("Content-Length: %d", len(body))
	for _, test := range []struct {
		name, target, host string
		// want is the status with a key. Without one a path that there is answers 401, any other the same.
		want int
	}{
		{"plain", "/v1/chat/completions", "octopus", 200},
		{"absolute", "http://evil.example/v1/chat/completions", "octopus", 200},
		{"absolute, of another scheme", "https://evil.example/v1/chat/completions", "octopus", 200},
		{"two slashes", "//v1/chat/completions", "octopus", 200},
		{"two slashes inside", "/v1//chat/completions", "octopus", 200},
		{"dots", "/v1/./x/../chat/completions", "octopus", 200},
		{"dots above the root", "/../v1/chat/completions", "octopus", 200},
		{"escaped dots", "/v1/%2e%2e/v1/chat/completions", "octopus", 200},
		{"escaped letters", "/v1/%63hat/completions", "octopus", 200},
		{"an escaped slash", "/v1%2fchat/completions", "octopus", 200},
		{"a query", "/v1/chat/completions?x=/v1/models", "octopus", 200},
		{"a fragment", "/v1/chat/completions#/v1/models", "octopus", 200},
		{"a slash behind", "/v1/chat/completions/", "octopus", 404},
		{"upper case", "/V1/chat/completions", "octopus", 404},
		{"escaped twice", "/v1/%2563hat/completions", "octopus", 404},
		{"a backslash", "/v1\\chat/completions", "octopus", 404},
		{"a semicolon", "/v1/chat/completions;x", "octopus", 404},
		{"NUL", "/v1/chat/completions%00", "octopus", 404},
		{"the admin port's metrics", "/metrics", "octopus", 404},
		{"the same behind dots", "/v1/../metrics", "octopus", 404},
		{"the panel's API", "/api/v1/channels", "octopus", 404},
		{"pprof", "/debug/pprof/", "octopus", 404},
		{"no host's name", "/v1/chat/completions", "", 200},
		{"a host with a path", "/v1/chat/completions", "evil.example/metrics", 200},
		{"a host with a user", "/v1/chat/completions", "user@evil.example", 200},
		{"a host that is an address", "/v1/chat/completions", "169.254.169.254", 200},
		{"a host with a bad port", "/v1/chat/completions", "octopus:port", 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			request := strings.Replace(head(test.target, length), "Host: octopus", "Host: "+test.host, 1) + body
			before := len(g.north.Requests())
			with := statuses(t, g, request)
			log := g.north.Requests()[before:]
			without := statuses(t, g, strings.Replace(request, apiKey, "wrong", 1))
			if len(with) == 0 || len(without) == 0 {
				t.Fatalf("answers %v with a key and %v without, want some", with, without)
			}
			wantWithout := test.want
			if test.want == 200 {
				wantWithout = 401
			}
			// Refusing what is odd is good too, if it is refused to everybody.
			refused := with[0] == 400 && without[0] == 400 && test.name != "plain"
			if !refused && (with[0] != test.want || without[0] != wantWithout) {
				t.Errorf("status %d with a key and %d without, want %d and %d", with[0], without[0], test.want, wantWithout)
			}
			if with[0] == 200 && (len(log) != 1 || log[0].Path != chat.path) {
				t.Errorf("the provider got %v, want one request for %s", log, chat.path)
			}
			if after := len(g.north.Requests()); after != before+len(log) {
				t.Errorf("the provider got %d requests without a key", after-before-len(log))
			}
		})
	}
	if got := g.south.Counts().Accepted + g.west.Counts().Accepted; got != 0 {
		t.Errorf("other providers got %d connections", got)
	}
}
